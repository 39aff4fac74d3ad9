//! Compares filters with libpcap: tcpdump and xdpdump must match the same frames.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deliberate;
mod headers;
mod inner;
mod libpcap;

use std::env;

use libpcap::{Optimizer, chosen};
use xdpdump::filter::{Filter, Frame};
use xdpdump_testing::filters::{
    expressions,
    frames::{self, Capture},
    random::Random,
};

/// Compares which frames tcpdump and xdpdump match.
///
/// libpcap's optimizer omits loads and changes their order. So its optimized and its unoptimized program can judge a
/// frame differently if the frame ends before a byte that only one of them loads; for such a frame either result is
/// right.
fn compare(capture: &Capture, expression: &str) -> Result<(), String> {
    let filter =
        match (Filter::compile(expression, capture.link_type), chosen(capture, expression, Optimizer::On)) {
            (Ok(filter), Ok(theirs)) => {
                let ours = ours(capture, &filter);
                if ours == theirs {
                    return Ok(());
                }
                let unoptimized = chosen(capture, expression, Optimizer::Off)?;
                let different = |&at: &usize| ours[at] != theirs[at] && ours[at] != unoptimized[at];
                let different: Vec<usize> = (0..ours.len()).filter(different).collect();
                let Some(&first) = different.first() else { return Ok(()) };
                let takes = if theirs[first] { "takes" } else { "leaves" };
                format!("{} frames; libpcap {takes} the first: {:?}", different.len(), capture.frames[first])
            }
            (Ok(_), Err(error)) => format!("libpcap refuses it: {error}"),
            // libpcap finds some expressions that reject every frame, and we find some.
            (Err(error), Ok(theirs))
                if error.message() == "no frame can match this filter" && !theirs.contains(&true) =>
            {
                return Ok(());
            }
            (Err(error), Ok(_)) => format!("libpcap takes it, but {error}"),
            (Err(_), Err(_)) => return Ok(()),
        };
    Err(format!("'{expression}': {filter}"))
}

fn ours(capture: &Capture, filter: &Filter) -> Vec<bool> {
    let matches = |frame: &frames::Bytes| {
        filter.matches(&Frame { bytes: &frame.bytes, len: frame.len, ..Frame::default() })
    };
    capture.frames.iter().map(matches).collect()
}

fn assert_same(captures: &[Capture], expressions: &[String]) {
    let differences: Vec<String> = captures
        .iter()
        .flat_map(|capture| expressions.iter().filter_map(|expression| compare(capture, expression).err()))
        .collect();
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn written_expressions_choose_what_libpcap_chooses() {
    assert_same(&frames::all(), &expressions::written());
    let written = expressions::written().into_iter();
    // libpcap has it for one of these link types.
    let written: Vec<_> = written.filter(|text| !text.starts_with("ifindex")).collect();
    assert_same(&frames::relinked(), &written);
}

#[test]
fn generated_expressions_choose_what_libpcap_chooses() {
    let count = env::var("XDPDUMP_FILTER_EXPRESSIONS").map_or(300, |count| count.parse().unwrap());
    let seed = env::var("XDPDUMP_FILTER_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut random = Random::new(seed);
    let generated: Vec<String> = (0..count).map(|_| expressions::generated(&mut random)).collect();
    assert_same(&frames::all(), &generated);
    assert_same(&frames::relinked(), &generated);
}

/// `XDPDUMP_FILTER_CORPUS` can name a folder with other captures.
#[test]
fn a_corpus_is_divided_as_libpcap_divides_it() {
    let merged = frames::corpus();
    assert!(!merged.is_empty());
    let mut random = Random::new(2);
    let generated = (0..300).map(|_| expressions::generated(&mut random));
    let expressions: Vec<String> = expressions::written().into_iter().chain(generated).collect();
    assert_same(&merged, &expressions);
    let frames: usize = merged.iter().map(|capture| capture.frames.len()).sum();
    println!("{} expressions, {frames} frames", expressions.len());
}
