//! Workflow commands that GitHub Actions shows as annotations beside the suite's lines.

use super::cut;
use crate::divergence::Severity;
use crate::suite::outcome::FailOn;
use crate::suite::report::RunReport;

/// GitHub shows ten errors and ten warnings a step and throws the rest away.
const ANNOTATIONS_MAX: usize = 10;

/// Longer messages are cut by GitHub at 64 KiB; a person reads less.
const MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// One annotation a group, worst first: errors for what fails the run, warnings for what was accepted or is below the
/// bar. The last line says how many groups are not shown.
pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let mut out = String::new();
    let (mut errors, mut warnings, mut hidden) = (0, 0, 0);
    for group in report.groups() {
        let (level, shown) =
            if group.fails(fail_on) { ("error", &mut errors) } else { ("warning", &mut warnings) };
        // The last place is kept for the line that says what is missing.
        if *shown == ANNOTATIONS_MAX - 1 {
            hidden += 1;
            continue;
        }
        *shown += 1;
        let title = match group.severity() {
            Severity::Exposure => "Exposure".to_owned(),
            severity => format!("Divergence ({})", severity.as_str()),
        };
        let message = format!("{} (times: {}, group {})", group.sentence(), group.count, group.fingerprint);
        out.push_str(&format!(
            "::{level} file={},line={},title={}::{}\n",
            property(&report.file),
            group.line,
            property(&title),
            data(&cut(&message, MESSAGE_BYTES_MAX)),
        ));
    }
    if hidden > 0 {
        out.push_str(&format!("::warning title=More divergences::{hidden} more groups are in the report\n"));
    }
    out
}

/// Text after `::` of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// Reads a workflow command as the runner does: properties up to `::`, then the message, each unescaped.
    fn read_back(line: &str) -> (String, Vec<(String, String)>, String) {
        let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (level, properties) = head.split_once(' ').unwrap();
        let unescape = |text: &str| {
            text.replace("%0D", "\r")
                .replace("%0A", "\n")
                .replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%25", "%")
        };
        let properties = properties.split(',').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), unescape(value))
        });
        (level.to_owned(), properties.collect(), unescape(message))
    }

    #[test]
    fn an_annotation_reads_back_whole_and_starts_no_second_one() {
        let text = render(&fixture::report(), FailOn::Any);
        assert_eq!(text.lines().count(), 2, "one line a group:\n{text}");
        let (level, properties, message) = read_back(text.lines().next().unwrap());
        assert_eq!(level, "error");
        assert_eq!(properties[0], ("file".to_owned(), "suites/playlists.yaml".to_owned()));
        assert_eq!(properties[1], ("line".to_owned(), "15".to_owned()));
        assert!(message.contains(fixture::HOSTILE), "{message:?}");
    }

    #[test]
    fn what_was_accepted_is_a_warning() {
        let text = render(&fixture::report(), FailOn::Any);
        assert!(text.lines().nth(1).unwrap().starts_with("::warning "), "{text}");
    }

    #[test]
    fn no_more_than_ten_of_a_kind_are_written() {
        let report = fixture::with_groups(50);
        let text = render(&report, FailOn::Any);
        let count = |level: &str| text.lines().filter(|line| line.starts_with(level)).count();
        assert_eq!(count("::error"), 9);
        assert!(count("::warning") <= 10);
        assert!(text.contains("42 more groups"), "{text}");
    }
}
