//! The end of the proxy under clients of HTTP/2.

use std::time::Duration;

use strangler_proxy::data_plane::upstream::Protocol;

use super::client::{Http2, get};
use crate::data_plane::h2_frames::{DATA, END_STREAM, Frames, GOAWAY};
use crate::data_plane::h2_origin::{H2Origin, Settings, answer};
use crate::data_plane::origin::{Origin, ok};
use crate::data_plane::proxy::{Plan, Proxy};
use crate::shadow::rig::{PATIENCE, eventually};

#[test]
fn what_is_in_flight_is_answered_before_the_end() {
    let (arrived, at_origin) = std::sync::mpsc::channel();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let control = Origin::scripted(move |line| {
        line.request();
        arrived.send(()).unwrap();
        gate.lock().unwrap().recv().unwrap();
        line.send(ok("answered"));
    });
    let mut proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let mut idle = Frames::connect(proxy.address);
    let asked = client.ask(get("/"), true);
    at_origin.recv().unwrap();
    let draining = proxy.drain_meanwhile(PATIENCE);
    let told = idle.until(&[GOAWAY]);
    assert_eq!(told.code(), 0);
    drop(idle);
    go.send(()).unwrap();
    assert_eq!(client.response(asked).unwrap().text(), "answered");
    assert!(client.end().is_ok());
    assert_eq!(draining.join().unwrap().cut, 0);
}

#[test]
fn a_stream_that_does_not_end_is_cut_and_counted() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let asked = [client.ask(get("/"), true), client.ask(get("/"), true)];
    eventually(|| control.received().len() == 2);
    assert_eq!(proxy.drain(Duration::from_millis(50)).cut, 2);
    for asked in asked {
        assert!(client.response(asked).is_err());
    }
}

/// The client goes on to send what nobody waits for: its request was answered all the same.
#[test]
fn a_stream_that_was_answered_before_its_upload_ended_is_not_cut() {
    let settings = Settings { reads_nothing: true, ..Settings::default() };
    let origin = H2Origin::new(settings, |_, respond| async move { answer(respond, "early") });
    let proxy = Plan::new(origin.address).with(|config| config.control.protocol = Protocol::Http2).start();
    let mut frames = Frames::connect(proxy.address);
    frames.head(1, "POST", &[], false);
    frames.send(DATA, 0, 1, b"some of it");
    while frames.until(&[DATA]).flags & END_STREAM == 0 {}
    assert_eq!(proxy.drain(Duration::from_millis(50)).cut, 0);
}

/// Nobody waits for the answer any more.
#[test]
fn streams_that_their_client_left_are_not_cut() {
    let control = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let mut proxy = Proxy::to(&control);
    let mut client = Http2::connect(proxy.address);
    let mut told = Frames::connect(proxy.address);
    let asked: Vec<_> = (0..5).map(|_| client.ask(get("/"), true)).collect();
    eventually(|| control.received().len() == 5);
    let draining = proxy.drain_meanwhile(PATIENCE);
    told.until(&[GOAWAY]);
    drop((asked, client, told));
    assert_eq!(draining.join().unwrap().cut, 0);
}
