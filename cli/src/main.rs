//! The command line of Strangler.
//!
//! - [`args`]: what can be typed, resolved once.
//! - [`commands`]: one file a command; each returns what it has to say.
//! - [`client`]: speaks to a running proxy.
//! - [`table`], [`words`]: what is shown to a person.
//! - [`review`]: keys and screens of a sitting.
//! - [`console`]: the one place that prints; [`exit`]: how a command ends, [`interrupt`]: when somebody does not want to wait for it.

mod args;
mod commands;
mod client;
mod table;
mod words;
mod unified;
mod review;
mod console;
mod exit;
mod interrupt;

use std::process::ExitCode;

use clap::Parser;

use args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return args::misread(&error).into(),
    };
    let (name, format) = (args.command.name(), args.global.format);
    let ended = args.resolve().and_then(|(command, context)| command.run(&context));
    console::finish(name, format, ended).into()
}
