//! Writes `proto/generated/` from the `.proto` files: the Rust that `src/server/serving/grpc` includes, and the descriptors that reflection
//! answers from. No `protoc` is needed.
//!
//! ```sh
//! cargo run --locked --manifest-path proto/codegen/Cargo.toml            # after a change of a .proto file
//! cargo run --locked --manifest-path proto/codegen/Cargo.toml -- FOLDER  # into another folder, to compare
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = std::env::args_os().nth(1).map_or_else(|| proto.join("generated"), PathBuf::from);
    std::fs::create_dir_all(&out)?;
    let descriptors = protox::compile(["recflow/v1/recommender.proto"], [&proto])?;
    std::fs::write(out.join("recflow.v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .out_dir(&out)
        // Only tests speak to the service; programs have clients of their own.
        .client_mod_attribute(".", "#[cfg(test)]")
        .compile_fds(descriptors)?;
    Ok(())
}
