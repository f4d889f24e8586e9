//! Requests of HTTP/2 that could be other ones in HTTP/1.1: lengths, codings and line ends mean nothing to the frames that they
//! come in, and everything to an upstream that gets them written out.

use std::net::SocketAddr;

use super::readers::Reading;
use super::recorder::Recorder;
use super::{proxy, seed_and_cases};
use crate::data_plane::h2_frames::{
    DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, RST_STREAM, block,
};

const STATUS_200: u8 = 0x88;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A request as its frames say it.
#[derive(Clone)]
struct Framed {
    fields: Fields,
    data: Vec<Vec<u8>>,
    trailers: Option<Fields>,
}

#[test]
fn garbled_requests_of_http_2_have_one_reading() {
    let (seed, cases) = seed_and_cases();
    let mut random = fastrand::Rng::with_seed(seed);
    let recorder = Recorder::start();
    let proxy = proxy(&recorder);
    let (mut forwarded, mut refused) = (0, 0);
    let mut late = Vec::new();
    for case in 0..cases {
        let request = Framed::garbled(&mut random, case);
        let told = format!("STRANGLER_TEST_SEED={seed}, case {case}: {}", request.shown());
        let answered = play(proxy.address, &request);
        let mut seen = recorder.take(&told);
        let mut expected = Vec::new();
        let marker = Framed::plain("/marker").reading().unwrap();
        let markers = seen.extract_if(.., |reading| *reading == marker).count();
        assert_eq!(markers, usize::from(answered.marker), "{told}");
        if answered.first {
            expected.push(request.reading().expect("it was answered"));
        } else {
            // Where it was whole before something wrong came behind it, the upstream may have it, now or a little later.
            late.extend(request.cut());
        }
        seen.retain(|reading| !late.contains(reading));
        assert_eq!(seen, expected, "{told}");
        *if answered.first { &mut forwarded } else { &mut refused } += 1;
    }
    // Both happen, or there is nothing that this shows.
    assert!(forwarded > cases / 20 && refused > cases / 20, "{forwarded} forwarded, {refused} refused");
}

/// What was answered with 200.
struct Answered {
    first: bool,
    marker: bool,
}

/// Sends a request, and one for `/marker` after it where the connection has outlived that.
fn play(address: SocketAddr, request: &Framed) -> Answered {
    let mut frames = Frames::connect(address);
    request.send(&mut frames, 1);
    let first = answer(&mut frames, 1);
    if first.is_none() {
        return Answered { first: false, marker: false };
    }
    Framed::plain("/marker").send(&mut frames, 3);
    Answered { first: first == Some(true), marker: answer(&mut frames, 3) == Some(true) }
}

/// Whether it was answered with 200; `None` when the connection has ended.
fn answer(frames: &mut Frames, stream: u32) -> Option<bool> {
    let mut is_200 = false;
    loop {
        let frame = frames.next()?;
        match frame.kind {
            GOAWAY => return None,
            RST_STREAM if frame.stream == stream => return Some(is_200),
            HEADERS | DATA if frame.stream == stream => {
                is_200 |= frame.kind == HEADERS && frame.payload.first() == Some(&STATUS_200);
                if frame.flags & END_STREAM != 0 {
                    return Some(is_200);
                }
            }
            _ => {}
        }
    }
}

fn field(name: &[u8], value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (name.to_vec(), value.to_vec())
}

impl Framed {
    fn plain(path: &str) -> Self {
        let fields = vec![
            field(b":method", b"GET"),
            field(b":scheme", b"http"),
            field(b":path", path.as_bytes()),
            field(b":authority", b"a.example"),
        ];
        Self { fields, data: Vec::new(), trailers: None }
    }

    fn garbled(random: &mut fastrand::Rng, case: u64) -> Self {
        const METHODS: [&[u8]; 4] = [b"GET", b"POST", b"PUT", b"OPTIONS"];
        let mut request = Self::plain(&format!("/{case}"));
        request.fields[0].1 = METHODS[random.usize(..METHODS.len())].to_vec();
        request.fields.push(field(b"x-own", b"1"));
        for _ in 0..random.usize(..3) {
            let data = DATAS[random.usize(..DATAS.len())].to_vec();
            request.data.push(data);
        }
        if random.bool() && !request.data.is_empty() {
            // A length that is right, so that others beside it differ.
            let length: usize = request.data.iter().map(Vec::len).sum();
            request.fields.push(field(b"content-length", length.to_string().as_bytes()));
        }
        if random.u8(..4) == 0 && !request.data.is_empty() {
            let mut trailers = vec![field(b"x-sum", b"1")];
            garble(random, &mut trailers);
            request.trailers = Some(trailers);
        }
        for _ in 0..random.usize(..3) {
            garble(random, &mut request.fields);
        }
        request
    }

    fn send(&self, frames: &mut Frames, stream: u32) {
        let last = |is_last: bool| u8::from(is_last) * END_STREAM;
        let has_trailers = self.trailers.is_some();
        let ends = self.data.is_empty() && !has_trailers;
        frames.try_send(HEADERS, END_HEADERS | last(ends), stream, &block(&self.fields));
        for (index, data) in self.data.iter().enumerate() {
            let ends = index + 1 == self.data.len() && !has_trailers;
            frames.try_send(DATA, last(ends), stream, data);
        }
        if let Some(trailers) = &self.trailers {
            frames.try_send(HEADERS, END_HEADERS | END_STREAM, stream, &block(trailers));
        }
    }

    fn shown(&self) -> String {
        let fields = |fields: &Fields| -> Vec<_> {
            let line = |(name, value): &(Vec<u8>, Vec<u8>)| {
                format!("{}: {}", name.escape_ascii(), value.escape_ascii())
            };
            fields.iter().map(line).collect()
        };
        let data: Vec<_> = self.data.iter().map(|data| data.escape_ascii().to_string()).collect();
        format!(
            "{:?}, DATA {data:?}, trailers {:?}",
            fields(&self.fields),
            self.trailers.as_ref().map(fields)
        )
    }

    /// The request as far as its length goes, if more came.
    fn cut(&self) -> Option<Reading> {
        let mut lengths = self.fields.iter().filter(|(name, _)| name == b"content-length");
        let length: usize = std::str::from_utf8(&lengths.next()?.1).ok()?.parse().ok()?;
        let Reading { method, target, mut body } = self.reading()?;
        let is_whole = length <= body.len();
        body.truncate(length);
        is_whole.then_some(Reading { method, target, body })
    }

    /// The only one that there may be; `None` where it cannot have any.
    fn reading(&self) -> Option<Reading> {
        let of = |wanted: &[u8]| {
            let value = self.fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            String::from_utf8(value?).ok()
        };
        // The library drops a fragment.
        let target = of(b":path")?.split('#').next()?.to_owned();
        Some(Reading { method: of(b":method")?, target, body: self.data.concat() })
    }
}

const DATAS: [&[u8]; 6] = [
    b"",
    b"abc",
    b"0\r\n\r\n",
    b"3\r\nabc\r\n0\r\n\r\n",
    b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
    b"0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
];

fn garble(random: &mut fastrand::Rng, fields: &mut Fields) {
    const FIELDS: [(&[u8], &[u8]); 22] = [
        (b"transfer-encoding", b"chunked"),
        (b"transfer-encoding", b"identity"),
        (b"transfer_encoding", b"chunked"),
        (b"content-length", b"0"),
        (b"content-length", b"3"),
        (b"content-length", b"3, 3"),
        (b"content-length", b"+3"),
        (b"content_length", b"3"),
        (b"connection", b"content-length"),
        (b"connection", b"keep-alive, transfer-encoding"),
        (b"host", b"b.example"),
        (b"host", b"a.example"),
        (b"te", b"trailers"),
        (b"te", b"chunked"),
        (b"trailer", b"content-length"),
        (b"upgrade", b"h2c"),
        (b"http2-settings", b"AAMAAABk"),
        (b"expect", b"100-continue"),
        (b":path", b"/hidden"),
        (b":method", b"POST"),
        (b":authority", b"b.example"),
        (b"x-http-method-override", b"DELETE"),
    ];
    const PIECES: [&[u8]; 14] = [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\0",
        b":",
        b"#",
        b"\xff",
        b" HTTP/1.1\r\nhost: a\r\n\r\n",
        b"\r\ntransfer-encoding: chunked",
        b"\r\ncontent-length: 3",
        b"\r\n\r\nGET /hidden HTTP/1.1\r\nhost: a\r\n\r\n",
        b"x",
    ];
    let at = random.usize(..fields.len());
    match random.u8(..6) {
        0 | 1 => {
            let (name, value) = FIELDS[random.usize(..FIELDS.len())];
            fields.insert(random.usize(..=fields.len()), field(name, value));
        }
        2 | 3 => {
            let (name, value) = &mut fields[at];
            let text = if random.u8(..4) == 0 { name } else { value };
            let place = random.usize(..=text.len());
            drop(text.splice(place..place, PIECES[random.usize(..PIECES.len())].iter().copied()));
        }
        4 => {
            let name = &mut fields[at].0;
            let byte = random.usize(..name.len().max(1));
            name.iter_mut().skip(byte).take(1).for_each(|byte| *byte = byte.to_ascii_uppercase());
        }
        _ => {
            let again = fields[at].clone();
            fields.push(again);
        }
    }
}
