//! A sitting at a real pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::rig::Rig;

/// The side of the terminal on which a person sits.
struct Seat {
    keys: File,
    pieces: Receiver<Vec<u8>>,
    shown: String,
}

impl Seat {
    /// Reads what is shown until it holds this text; what came before it is forgotten.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            if let Some(found) = self.shown.find(text) {
                let rest = self.shown.split_off(found + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            match self.pieces.recv_timeout(Duration::from_secs(60)) {
                Ok(piece) => self.shown.push_str(&String::from_utf8_lossy(&piece)),
                Err(_) => panic!("`{text}` was never shown, but:\n{}", self.shown),
            }
        }
    }

    /// Whether Ctrl-C is a signal, and what is typed is shown, as at a shell.
    fn is_as_at_a_shell(&self) -> bool {
        tcgetattr(&self.keys).unwrap().local_modes.contains(LocalModes::ISIG | LocalModes::ECHO)
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }
}

fn sit_down(rig: &Rig, words: &[&str]) -> (Seat, std::process::Child) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let end = || {
        let file = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        Stdio::from(file)
    };
    let child = Command::new(env!("CARGO_BIN_EXE_strangler"))
        .args(words)
        .env_clear()
        .env("STRANGLER_ADMIN", &rig.proxy().admin)
        .env("USER", "grace")
        .env("TERM", "xterm")
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let keys = File::from(master);
    let mut screen = keys.try_clone().unwrap();
    let (piece, pieces) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n) = screen.read(&mut bytes) {
            if n == 0 || piece.send(bytes[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    (Seat { keys, pieces, shown: String::new() }, child)
}

#[test]
fn a_person_decides_takes_back_and_goes_on_later() {
    let rig = Rig::new();
    rig.shadowed("/leak");
    rig.shadowed("/other");
    rig.requests("/leak", 2);
    rig.requests("/other", 3);

    let (mut seat, mut child) = sit_down(&rig, &["review"]);
    let first = seat.wait_for("b bug");
    assert!(first.contains("group 1 of") && first.contains("exposure"), "the worst is first: {first}");
    seat.press("b");
    seat.wait_for("reason");
    seat.press("a leak\r");
    seat.wait_for("u takes it back");
    seat.wait_for("b bug");
    seat.press("u");
    seat.wait_for("taken back");
    seat.wait_for("b bug");
    seat.press("b");
    seat.wait_for("a leak_");
    seat.press("\r");
    seat.wait_for("u takes it back");
    seat.wait_for("b bug");
    seat.press("q");
    seat.wait_for("1 decision made");
    let go_on = seat.wait_for("go on: strangler review --from v1-");
    assert!(go_on.contains("take it back: strangler divergences triage v1-"), "{go_on}");
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let bugs = rig.json(0, &["divergences", "list", "--state", "bug"]);
    let bugs = bugs["data"]["groups"].as_array().unwrap();
    assert_eq!(bugs.len(), 1);
    assert_eq!(
        (&bugs[0]["severity"], &bugs[0]["decision"]["reason"]),
        (&"exposure".into(), &"a leak".into())
    );
    let log = rig.json(0, &["audit"]);
    let acts: Vec<_> =
        log["data"]["decisions"].as_array().unwrap().iter().map(|entry| entry["act"].clone()).collect();
    assert_eq!(acts, ["bug", "undo", "bug"]);
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    let rig = Rig::new();
    rig.shadowed("/other");
    rig.requests("/other", 1);
    let (mut seat, mut child) = sit_down(&rig, &["review"]);
    seat.wait_for("\x1b[?1049h");
    assert!(
        !seat.is_as_at_a_shell(),
        "Ctrl-C before the first key is waited for would leave the other screen"
    );
    seat.wait_for("b bug");
    seat.press("\x03");
    seat.wait_for("\x1b[?1049l");
    seat.wait_for("go on: strangler review --from");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(seat.is_as_at_a_shell());
}

#[test]
fn without_a_terminal_the_equivalent_commands_are_printed() {
    let rig = Rig::new();
    let refused = rig.expect(2, &["review"]);
    for words in
        ["divergences list --state new,regressed,expired", "divergences show ID", "divergences triage ID"]
    {
        assert!(refused.err.contains(words), "{refused:?}");
    }
}
