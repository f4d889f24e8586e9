//! Tests that look at what belongs to the whole process, such as its memory, run in a process of their own.

use std::process::Command;

const ALONE: &str = "STRANGLER_TEST_ALONE";

/// Runs `test`, whose full name this is, in another process; there, as it is.
pub(crate) fn alone(name: &str, test: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{name}: {said}{}", String::from_utf8_lossy(&output.stderr));
    print!("{said}");
}
