//! JUnit XML, in the form that CI servers agree on (the Ant schema as Jenkins and GitLab read it).

use std::io;
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use super::cut;
use crate::suite::outcome::{CaseResult, FailOn, Found, StepOutcome};
use crate::suite::report::RunReport;

/// The longest text of one failure, in bytes: readers load the file whole.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// One `testcase` a case and persona; a divergence that fails the run is a `failure`, what could not be judged an
/// `error`, a case without any comparison `skipped`.
pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut writer, report, fail_on).expect("writing to memory cannot fail");
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&String::from_utf8(writer.into_inner()).expect("only text was written"));
    text.push('\n');
    text
}

fn write(writer: &mut Writer<Vec<u8>>, report: &RunReport, fail_on: FailOn) -> io::Result<()> {
    let results: Vec<_> =
        report.results().into_iter().map(|result| (result, Judged::of(result, fail_on))).collect();
    let count =
        |judged: fn(&Judged<'_>) -> bool| results.iter().filter(|(_, j)| judged(j)).count().to_string();
    // As a duration: a sum of no floats is `-0.000`, which no reader takes.
    let seconds: Duration = results.iter().map(|(result, _)| result.duration).sum();
    let seconds = seconds.as_secs_f64();
    let totals = [
        ("name", text(&report.suite)),
        ("tests", results.len().to_string()),
        ("failures", count(|judged| matches!(judged, Judged::Failing(_)))),
        ("errors", count(|judged| matches!(judged, Judged::Broken(_)))),
        ("time", format!("{seconds:.3}")),
    ];
    writer.write_event(Event::Start(element("testsuites", &totals)))?;
    let skipped = ("skipped", count(|judged| matches!(judged, Judged::Uncompared)));
    let own = [totals.as_slice(), &[skipped, ("file", text(&report.file))]].concat();
    writer.write_event(Event::Start(element("testsuite", &own)))?;
    if report.unlisted() > 0 {
        writer.write_event(Event::Start(element("properties", &[])))?;
        let unlisted =
            [("name", "cases that are counted only".to_owned()), ("value", report.unlisted().to_string())];
        writer.write_event(Event::Empty(element("property", &unlisted)))?;
        writer.write_event(Event::End(BytesEnd::new("properties")))?;
    }
    for (result, judged) in &results {
        case(writer, report, result, judged)?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    writer.write_event(Event::End(BytesEnd::new("testsuites")))
}

/// What a case as a whole is, in JUnit's words.
enum Judged<'a> {
    Passed,
    Failing(Vec<Found<'a>>),
    Broken(&'a str),
    Uncompared,
}

impl<'a> Judged<'a> {
    fn of(result: &'a CaseResult, fail_on: FailOn) -> Self {
        let failing: Vec<_> = result.found().filter(|found| found.fails(fail_on)).collect();
        if !failing.is_empty() {
            return Self::Failing(failing);
        }
        for step in &result.steps {
            if let StepOutcome::Failed(why) = &step.outcome {
                return Self::Broken(why);
            }
        }
        let compared = |step: &_| matches!(step, StepOutcome::Compared(_));
        if result.steps.iter().any(|step| compared(&step.outcome)) { Self::Passed } else { Self::Uncompared }
    }
}

fn case(
    writer: &mut Writer<Vec<u8>>,
    report: &RunReport,
    result: &CaseResult,
    judged: &Judged<'_>,
) -> io::Result<()> {
    let name = match &result.persona {
        Some(persona) => format!("{} [{persona}]", result.case),
        None => result.case.to_string(),
    };
    let attributes = [
        ("name", text(&name)),
        ("classname", text(&report.suite)),
        ("time", format!("{:.3}", result.duration.as_secs_f64())),
    ];
    writer.write_event(Event::Start(element("testcase", &attributes)))?;
    match judged {
        Judged::Passed => {}
        Judged::Failing(found) => {
            let sentences: Vec<_> = found
                .iter()
                .map(|found| format!("{} [{}]", found.sentence(), found.finding.fingerprint))
                .collect();
            let message = match sentences.as_slice() {
                [one] => one.clone(),
                [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
                [] => String::new(),
            };
            outcome(writer, "failure", "divergence", &message, &sentences.join("\n"))?;
        }
        Judged::Broken(why) => outcome(writer, "error", "not judged", why, why)?,
        Judged::Uncompared => writer
            .write_event(Event::Empty(element("skipped", &[("message", "nothing was compared".into())])))?,
    }
    writer.write_event(Event::End(BytesEnd::new("testcase")))
}

fn outcome(writer: &mut Writer<Vec<u8>>, tag: &str, kind: &str, message: &str, body: &str) -> io::Result<()> {
    let attributes = [("message", text(&cut(message, 512))), ("type", kind.to_owned())];
    writer.write_event(Event::Start(element(tag, &attributes)))?;
    writer.write_event(Event::Text(BytesText::new(&text(&cut(body, MESSAGE_BYTES_MAX)))))?;
    writer.write_event(Event::End(BytesEnd::new(tag)))
}

fn element<'a>(name: &'a str, attributes: &[(&str, String)]) -> BytesStart<'a> {
    let pairs = attributes.iter().map(|(name, value)| (*name, value.as_str()));
    BytesStart::new(name).with_attributes(pairs)
}

/// The text with what XML 1.0 §2.2 does not allow made visible: no escape exists for those characters.
fn text(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use quick_xml::{Reader, XmlVersion};

    use super::super::fixture;
    use super::*;

    /// Reads it back with a parser, and gives the attributes `name` by element.
    fn read_back(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_end_names = true;
        let mut elements = Vec::new();
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Eof => return elements,
                Event::Start(start) | Event::Empty(start) => {
                    let name = start.name().as_ref().to_owned();
                    let attributes = start.attributes().map(|attribute| {
                        let attribute = attribute.expect("well-formed attribute");
                        let value = attribute
                            .normalized_value(XmlVersion::Explicit1_0)
                            .expect("escaped")
                            .into_owned();
                        (attribute.key.as_ref().to_owned(), value)
                    });
                    elements.push((name, attributes.collect()));
                }
                _ => {}
            }
        }
    }

    fn attribute<'a>(element: &'a (String, Vec<(String, String)>), name: &str) -> &'a str {
        &element.1.iter().find(|(key, _)| key == name).expect("has the attribute").1
    }

    #[test]
    fn hostile_text_leaves_the_xml_well_formed() {
        let xml = render(&fixture::report(), FailOn::Any);
        let elements = read_back(&xml);
        let names: Vec<_> = elements.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["testsuites", "testsuite", "testcase", "testcase", "failure", "testcase", "error"],
            "{xml}"
        );
        assert!(!xml.contains(['\u{0}', '\u{8}', '\u{fffe}']));
        assert_eq!(attribute(&elements[0], "name"), "playlists <&>");
    }

    #[test]
    fn counts_agree_with_the_cases() {
        let elements = read_back(&render(&fixture::report(), FailOn::Any));
        let counts = ["tests", "failures", "errors", "skipped"].map(|name| attribute(&elements[1], name));
        assert_eq!(counts, ["3", "1", "1", "0"]);
    }

    #[test]
    fn a_healthy_run_has_no_failure() {
        let xml = render(&fixture::healthy(), FailOn::Any);
        assert!(!xml.contains("<failure") && xml.contains("failures=\"0\""), "{xml}");
    }
}
