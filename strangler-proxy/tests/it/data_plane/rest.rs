//! A connection on which nothing is asked for a while, of which nothing is kept but its socket.

use std::time::Duration;

use super::client::Client;
use super::origin::Origin;
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::eventually;

fn rests(proxy: &Proxy, count: usize) {
    eventually(|| proxy.plane().counts().present().resting == count);
}

/// Long enough for a connection that was idle before this to rest: one that is idle since rests.
fn others_rest(proxy: &Proxy) {
    let mut other = proxy.client();
    other.get("/other");
    rests(proxy, 1);
}

#[test]
fn a_connection_that_rests_takes_its_next_request() {
    let control = Origin::saying("hello");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    // It has not said anything yet.
    rests(&proxy, 1);
    for request in ["/a", "/b", "/c"] {
        assert_eq!(client.get(request).text(), "hello");
        assert_eq!(proxy.plane().counts().present().connections, 1);
        rests(&proxy, 1);
    }
    assert_eq!(proxy.tally().answered_control, 3);
}

#[test]
fn a_connection_that_is_asked_something_does_not_rest() {
    let control = Origin::scripted(|line| {
        while let Some(request) = line.request() {
            if request.head.starts_with("GET /wait") {
                // Until the test has seen that the other one rests.
                if line.request().is_none() {
                    return;
                }
            }
            line.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let proxy = Proxy::to(&control);
    let mut waits = proxy.client();
    waits.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| control.received().len() == 1);
    others_rest(&proxy);
    assert_eq!(proxy.plane().counts().present().requests, 1);
    control.kill();
    assert_eq!(waits.response().status, 502);
}

#[test]
fn the_beginning_of_a_request_that_came_with_the_last_one_is_not_lost() {
    let control = Origin::saying("hello");
    let proxy = Proxy::to(&control);
    let mut client = proxy.client();
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHo");
    assert_eq!(client.response().text(), "hello");
    others_rest(&proxy);
    client.send("st: b\r\n\r\n");
    assert_eq!(client.response().text(), "hello");
    let request = control.received().pop().unwrap();
    assert_eq!((request.first_line(), request.field("host")), ("GET /b HTTP/1.1", Some("b")));
}

#[test]
fn a_connection_that_rests_is_closed_when_its_client_closes_it() {
    let control = Origin::saying("");
    let proxy = Proxy::to(&control);
    for end in [drop, Client::leave] {
        let mut client = proxy.client();
        client.get("/");
        rests(&proxy, 1);
        end(client);
        eventually(|| proxy.plane().counts().present().connections == 0);
        rests(&proxy, 0);
    }
}

#[test]
fn a_connection_that_rests_is_idle_and_closed_in_time() {
    let control = Origin::saying("");
    let proxy =
        Plan::new(control.address).with(|config| config.timeouts.idle = Duration::from_secs(5)).start();
    let mut client = proxy.client();
    client.get("/");
    rests(&proxy, 1);
    assert!(client.is_closed());
    eventually(|| proxy.plane().counts().present().connections == 0);
}

#[test]
fn a_drain_closes_connections_that_rest_and_answers_those_that_have_said_nothing_yet() {
    let control = Origin::saying("hello");
    let mut proxy = Proxy::to(&control);
    let (mut idle, mut new) = (proxy.client(), proxy.client());
    rests(&proxy, 2);
    idle.get("/");
    rests(&proxy, 2);
    let draining = proxy.drain_meanwhile(Duration::from_secs(60));
    assert!(idle.is_closed());
    assert_eq!(new.get("/").text(), "hello");
    assert_eq!(draining.join().unwrap().cut, 0);
}
