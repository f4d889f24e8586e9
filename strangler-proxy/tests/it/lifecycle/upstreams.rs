//! How the addresses of upstreams are told to whoever looks after the proxy.

use super::estate::Estate;
use crate::data_plane::origin::Origin;
use crate::ports::Port;

#[test]
fn an_address_that_is_left_alone_is_told_everywhere() {
    let (control, candidate, nowhere) = (Origin::saying("x"), Origin::saying("x"), Port::refused());
    let well = control.address;
    let upstreams = format!(
        "candidate = \"http://{}\"\n[upstreams.control]\naddresses = [\"http://{nowhere}\", \"http://{well}\"]\n\
         health = {{failures = 1, eject_for = \"1h\", eject_for_max = \"1h\"}}\n",
        candidate.address
    );
    let estate = Estate::start_at(control, candidate, &upstreams, "");
    let quiet = estate.ask("status");
    assert_eq!(quiet["data"]["warnings"], serde_json::json!([]), "{quiet}");
    let mut client = estate.client();
    for _ in 0..40 {
        assert_eq!(client.get("/").status, 200);
    }

    let told = estate.ask("upstreams");
    let control = &told["data"][0];
    assert_eq!((&control["side"], &control["resolve_failing"]), (&"control".into(), &false.into()), "{told}");
    let of = |socket: std::net::SocketAddr| {
        let addresses = control["addresses"].as_array().unwrap();
        addresses.iter().find(|address| address["address"] == socket.to_string()).unwrap().clone()
    };
    let (bad, good) = (of(nowhere), of(well));
    assert_eq!(
        (&bad["state"], &bad["ejections"], &bad["connects_failed"]),
        (&"ejected".into(), &1.into(), &1.into())
    );
    assert_eq!((&bad["shadow_state"], &good["state"]), (&"used".into(), &"used".into()), "{told}");

    let status = estate.ask("status");
    assert_eq!(status["data"]["upstreams"][0]["side"], "control");
    let warning = format!(
        "{nowhere} of control failed too often in a row and is left alone until it is found to be well"
    );
    assert_eq!(status["data"]["warnings"], serde_json::json!([warning]));

    let metrics = estate.metrics();
    let labels = |socket: std::net::SocketAddr| format!("side=\"control\",address=\"{socket}\"");
    for line in [
        format!(
            "strangler_upstream_address_state{{{},role=\"answer\",state=\"ejected\"}} 1",
            labels(nowhere)
        ),
        format!("strangler_upstream_address_state{{{},role=\"answer\",state=\"used\"}} 1", labels(well)),
        format!("strangler_upstream_ejections_total{{{},role=\"answer\"}} 1", labels(nowhere)),
        format!("strangler_upstream_connects_failed_total{{{}}} 1", labels(nowhere)),
    ] {
        assert!(metrics.lines().any(|told| told == line), "{line} is not in\n{metrics}");
    }
}
