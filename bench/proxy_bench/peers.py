"""Envoy, Pingora and the bare HTTP library, which Debian does not have."""

import json

from .contestants import POOL, Contestant
from .tools import built, envoy


class Envoy(Contestant):
    """One worker, HTTP/1.1 and HTTP/2 from clients on every listener, HTTP/1.1 to the upstream."""

    mirrors = False

    def command(self):
        config = self.folder / f"{self.name}.json"
        config.write_text(json.dumps(self.config()))
        return [envoy(), "-c", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]

    def config(self):
        route = {"match": {"prefix": "/"}, "route": {"cluster": "control", "timeout": "60s"}}
        if self.mirrors:
            route["route"]["request_mirror_policies"] = [{"cluster": "candidate"}]
        plain = {"name": "tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3"},
                "tls_certificates": [{
                    "certificate_chain": {"filename": str(self.certificate)}, "private_key": {"filename": str(self.key)},
                }],
            },
        }}  # fmt: skip
        ports = [(self.port, None), (self.port_h2, None), (self.port_tls, plain)]
        return {
            "static_resources": {
                "listeners": [self.listener(port, tls, route) for port, tls in ports],
                "clusters": [self.cluster("control", self.control), self.cluster("candidate", self.candidate)],
            },
        }

    def listener(self, port, tls, route):
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": f"port_{port}",
            "codec_type": "AUTO",
            "common_http_protocol_options": {"idle_timeout": "900s"},
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            "http_filters": [{"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            }}],
        }  # fmt: skip
        chain = {"filters": [{"name": "http", "typed_config": manager}]}
        if tls:
            chain["transport_socket"] = tls
        return {"name": f"port_{port}", "address": socket_address("127.0.0.1", port), "filter_chains": [chain]}

    def cluster(self, name, authority):
        host, port = authority.split(":")
        endpoint = {"endpoint": {"address": socket_address(host, int(port))}}
        # Its defaults for an upstream are meant for fewer connections than the load opens.
        limits = {"max_connections": POOL, "max_pending_requests": 4096, "max_requests": 4096}
        return {
            "name": name,
            "type": "STATIC",
            "connect_timeout": "2s",
            "circuit_breakers": {"thresholds": [limits]},
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        }


class EnvoyMirror(Envoy):
    """With its request mirror: the candidate gets a copy, and what it answers is thrown away."""

    mirrors = True


class Hyper(Contestant):
    """A pass-through that is nothing but the HTTP library, in `bench/hyper`."""

    answers = ("h1", "h2")

    def command(self):
        http1, http2 = (f"127.0.0.1:{port}" for port in (self.port, self.port_h2))
        return [built("hyper", "hyper-pass-through"), http1, self.control, http2]


class Pingora(Contestant):
    """A pass-through built from its crate, in `bench/pingora`."""

    def command(self):
        upstream = self.control
        return [
            built("pingora", "pingora-pass-through"), f"127.0.0.1:{self.port}", upstream,
            f"127.0.0.1:{self.port_tls}", self.certificate, self.key,
        ]  # fmt: skip

    def url(self, kind):
        # One port for both: it looks at the first bytes of a connection.
        return super().url("h1" if kind == "h2" else kind)


def socket_address(host, port):
    return {"socket_address": {"address": host, "port_value": port}}
