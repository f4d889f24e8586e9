//! Listeners, forwarding, upstream connections, refusals, drain: the way of a client request.
