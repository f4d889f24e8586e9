//! Whether an upstream can be reached, as far as it is known, or by asking.

use super::{AddressState, Upstream, Use};

impl Upstream {
    /// Whether requests can go there. What is known of its health says so, where it is checked; else a connection is made,
    /// with TLS if that is spoken, to the addresses in use, one after the other.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn reach(&self) -> Result<(), String> {
        let addresses = self.addresses();
        if addresses.is_empty() {
            return Err(format!("{} has no address", self.config.authorities.join(", ")));
        }
        let is_used = |state: &AddressState| *state == AddressState::Used;
        let states: Vec<_> = addresses.iter().map(|address| self.state(address, Use::Clients)).collect();
        if self.config.health.check.is_some() {
            if addresses
                .iter()
                .zip(&states)
                .any(|(address, state)| is_used(state) && address.answers_checks())
            {
                return Ok(());
            }
            if states.iter().all(|state| *state == AddressState::Unhealthy) {
                let all: Vec<_> = addresses.iter().map(|address| address.socket.to_string()).collect();
                return Err(format!("{} fails its health check", all.join(", ")));
            }
        }
        let any_is_used = states.iter().any(is_used);
        let mut last = String::new();
        for (address, state) in addresses.iter().zip(&states) {
            // Those that are left alone are asked where there are no others, as requests would be.
            if any_is_used && !is_used(state) {
                continue;
            }
            match self.connects(address).await {
                Ok(()) => return Ok(()),
                Err(error) => last = format!("{}: {error}", address.socket),
            }
        }
        Err(last)
    }

    /// Makes a connection and lets it go.
    pub(super) async fn connects(&self, address: &super::Address) -> Result<(), String> {
        let within = self.config.connect_timeout;
        match tokio::time::timeout(within, self.connect(address, false)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no connection within {within:?}")),
        }
    }
}
