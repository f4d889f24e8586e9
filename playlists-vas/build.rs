//! Compiles `proto/` without an installed protoc.

use std::{env, error::Error, path::PathBuf};

use prost::Message;

const PROTOS: [&str; 5] =
    ["authorization.proto", "tracks.proto", "playlists.proto", "consumer.proto", "creator.proto"];
const PACKAGES: [&str; 5] =
    [".authorization.v1", ".tracks.v1", ".playlists.v1", ".consumer.v1", ".creator.v1"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors.encode_to_vec())?
        // A client of a newer version may know fields that this one does not.
        .ignore_unknown_fields()
        .extern_path(".google.protobuf.FieldMask", "crate::rpc::FieldMask")
        .out_dir(&out)
        .build(&PACKAGES)?;
    prost_build::Config::new()
        .out_dir(&out)
        .extern_path(".google.protobuf.FieldMask", "crate::rpc::FieldMask")
        .service_generator(twirp_build::service_generator())
        .compile_fds(descriptors)?;
    Ok(())
}
