//! Generated from `proto/`: messages, service traits and clients (Twirp: protobuf and JSON over HTTP).

#![allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, unreachable_pub)]

pub mod authorization {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/authorization.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/authorization.v1.serde.rs"));
    }
}

pub mod tracks {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/tracks.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/tracks.v1.serde.rs"));
    }
}

pub mod playlists {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/playlists.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/playlists.v1.serde.rs"));
    }
}

pub mod consumer {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/consumer.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/consumer.v1.serde.rs"));
    }
}

pub mod creator {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/creator.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/creator.v1.serde.rs"));
    }
}
