//! How much of request bodies the admin API holds: of one request, and of all that are read at once.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::access::AdminLimits;
use super::wire::{Code, Problem};

/// Room for the bodies of all requests.
pub(super) struct Bodies {
    /// In [`UNIT`]s.
    room: Arc<Semaphore>,
    one_max: usize,
    all_max: usize,
}

/// Bytes of one permit.
const UNIT: usize = 1 << 10;

impl Bodies {
    pub(super) fn new(limits: &AdminLimits) -> Arc<Self> {
        let (one_max, all_max) = (limits.body_bytes_max, limits.bodies_bytes_max);
        let room = Arc::new(Semaphore::new(all_max.div_ceil(UNIT).min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { room, one_max, all_max })
    }

    /// Room for the body that a head announces, or for the largest one where it says only that there is one.
    ///
    /// # Errors
    /// `too_large` where it is over its own limit, `busy` where the others leave no room for it.
    fn take(&self, head: &HeaderMap) -> Result<OwnedSemaphorePermit, Problem> {
        let announced = head.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let bytes = match announced {
            Some(length) => length,
            None if head.contains_key(TRANSFER_ENCODING) => self.one_max,
            None => 0,
        };
        if bytes > self.one_max {
            return Err(too_large(self.one_max));
        }
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Arc::clone(&self.room).try_acquire_many_owned(units).map_err(|_| {
            let message = format!(
                "the bodies of other requests take the {} bytes that there are for all of them",
                self.all_max
            );
            Problem::new(Code::Busy, message).hint("ask again when they are answered")
        })
    }
}

pub(super) fn too_large(most: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("the body is larger than {most} bytes"))
}

/// Nothing of a body is read until there is room for all of it, which is taken until the request is answered.
pub(super) async fn make_room(
    State(bodies): State<Arc<Bodies>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let _room = bodies.take(request.headers())?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn head(name: HeaderName, value: &str) -> HeaderMap {
        [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    fn code<T>(taken: Result<T, Problem>) -> Option<Code> {
        taken.err().map(|problem| problem.code)
    }

    #[test]
    fn bodies_take_no_more_together_than_they_may() {
        let limits =
            AdminLimits { body_bytes_max: 40 << 10, bodies_bytes_max: 100 << 10, ..AdminLimits::default() };
        let bodies = Bodies::new(&limits);
        let length = |bytes: usize| head(CONTENT_LENGTH, &bytes.to_string());
        let chunked = head(TRANSFER_ENCODING, "chunked");
        assert_eq!(code(bodies.take(&length((40 << 10) + 1))), Some(Code::TooLarge));
        assert_eq!(code(bodies.take(&length(usize::MAX))), Some(Code::TooLarge));
        let first = bodies.take(&length(40 << 10)).unwrap();
        let second = bodies.take(&chunked).unwrap();
        assert_eq!(code(bodies.take(&chunked)), Some(Code::Busy));
        assert_eq!(code(bodies.take(&length(20_481))), Some(Code::Busy));
        let third = bodies.take(&length(20_480)).unwrap();
        // What has no body is answered all the same.
        let none = bodies.take(&HeaderMap::new()).unwrap();
        assert_eq!(code(bodies.take(&length(1))), Some(Code::Busy));
        drop((first, none));
        let again = bodies.take(&length(40 << 10)).unwrap();
        drop((second, third, again));
        assert_eq!(bodies.room.available_permits(), 100);
    }
}
