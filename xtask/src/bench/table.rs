//! The measurements as Markdown tables of medians.

use std::fmt::Write;

use super::destination::Destination;
use super::filter::{FILTER, FilterRun};
use super::plan::{KernelRun, Results, Run};
use super::tcp::{TcpRun, Way};
use super::tool::Tool;
use super::{Args, SMALL_RINGS, machine};

/// All tables, with the explanations needed to read them.
pub fn tables(args: &Args, results: &Results) -> String {
    let mut text = String::new();
    if !results.kernel.is_empty() {
        programs(args, &results.kernel, &mut text);
    }
    let (small, runs): (Vec<Run>, _) = results.runs.iter().partition(|run| run.buffer != args.buffer);
    if !runs.is_empty() {
        captures(args, &runs, &mut text);
        starts(&runs, &mut text);
    }
    if !small.is_empty() {
        let _ = write!(text, "\nWith rings of {SMALL_RINGS} MiB together:");
        captures(args, &small, &mut text);
    }
    if !results.filters.is_empty() {
        filters(&results.filters, &mut text);
    }
    if !results.tcp.is_empty() {
        tcp(&results.tcp, &mut text);
    }
    let _ = writeln!(
        text,
        "\n{}. Medians of {} rounds; a ratio is the median of the rounds' ratios, with the smallest and the largest. The sender is pinned to CPU 0, where \
         the XDP program at the far end of the veth pair runs too, the tool and the reader of its pipe to CPU 1. Rings \
         have {} MiB together (one CPU receives: it has half of xdpdump's; xdp-tools' have 1 MiB a CPU whatever one \
         says). tcpdump, dumpcap and netsniff-ng have an empty XDP program beside them, without which a veth drops the generator's \
         frames. Reader CPU is that of the whole process, start and exit included. Memory is the peak of what is \
         resident, touched rings included. Files are in memory.",
        machine::description(),
        args.rounds(),
        args.buffer,
    );
    text
}

fn programs(args: &Args, runs: &[KernelRun], text: &mut String) {
    let at = |tool, len| runs.iter().filter(move |run| run.tool == tool && run.frame_len == len);
    *text +=
        "| frame | XDP program of | kept | ns above empty | share of xdp-tools' |\n|--:|:--|--:|--:|--:|\n";
    for &len in &args.sizes {
        for tool in Tool::ALL.into_iter().filter(|tool| tool.has_program()) {
            let Some(cost) = median(at(tool, len).map(|run| run.above_empty)) else { continue };
            let ratios = at(tool, len).filter_map(|run| {
                let peer = at(Tool::XdpTools, len).find(|peer| peer.round == run.round)?;
                Some(run.above_empty / peer.above_empty)
            });
            let kept = median(at(tool, len).map(|run| run.kept as f64 / run.offered as f64 * 100.0));
            let kept = cell(kept, |percent| format!("{percent:.1} %"));
            let ratio = spread(ratios);
            let _ = writeln!(text, "| {len} B | {} | {kept} | {cost:.0} | {ratio} |", tool.name());
        }
    }
}

fn captures(args: &Args, runs: &[Run], text: &mut String) {
    *text += "\n\n| frame | to | tool | offered | kept | lost | kept a second | ring's multiple | reader ns/frame | ring's share | perf's share | bytes in the file | sender slowed by | memory |\n\
              |--:|:--|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    let mut sizes: Vec<_> = args.sizes.iter().copied().chain(runs.iter().map(|run| run.frame_len)).collect();
    sizes.dedup();
    sizes.sort_unstable();
    sizes.dedup();
    for len in sizes {
        for destination in Destination::ALL {
            let here: Vec<Run> = runs
                .iter()
                .copied()
                .filter(|run| run.frame_len == len && run.destination == destination)
                .collect();
            for tool in Tool::ALL {
                if let Some(row) = capture(tool, &here) {
                    let _ = writeln!(text, "| {len} B | {} | {} |{row}", destination.name(), tool.name());
                }
            }
        }
    }
}

/// The row of a tool in the table of captures; `here` are the runs with the same frames and output.
fn capture(tool: Tool, here: &[Run]) -> Option<String> {
    let own = || here.iter().filter(|run| run.tool == tool);
    let of = |value: fn(&Run) -> f64| median(own().map(value));
    let share = |ours: Tool| {
        let ratios = own().filter_map(|run| {
            let our = here.iter().find(|our| our.tool == ours && our.round == run.round)?;
            Some(our.cpu_per_frame()? / run.cpu_per_frame()?)
        });
        if Tool::OURS.contains(&tool) { "–".to_owned() } else { spread(ratios) }
    };
    let multiples = own().filter_map(|run| {
        let our = here.iter().find(|our| our.tool == Tool::Ring && our.round == run.round)?;
        Some(our.kept_rate() / run.kept_rate())
    });
    let multiple = if tool == Tool::Ring { "–".to_owned() } else { spread(multiples) };
    let bytes = cell(median(own().filter_map(Run::file_bytes_per_frame)), |bytes| format!("{bytes:.0}"));
    let kept_rate = of(|run| run.kept_rate() / 1e6)?;
    let offered = of(|run| run.offered as f64)?;
    let kept = of(|run| run.ended.kept as f64 / run.offered as f64 * 100.0)?;
    let lost = of(|run| run.offered.saturating_sub(run.ended.kept) as f64)?;
    let slowed = of(|run| (1.0 - run.rate / run.empty_rate) * 100.0)?;
    let memory = of(|run| run.ended.peak_kib as f64 / 1024.0)?;
    let cpu = cell(median(own().filter_map(Run::cpu_per_frame)), |nanos| format!("{nanos:.0}"));
    Some(format!(
        " {offered} | {kept:.1} % | {lost} | {kept_rate:.2} M | {multiple} | {cpu} | {} | {} | {bytes} | {slowed:.0} % | {memory:.0} MiB |",
        share(Tool::Ring),
        share(Tool::Perf)
    ))
}

fn starts(runs: &[Run], text: &mut String) {
    *text += "\n| tool | starts in | exits in |\n|:--|--:|--:|\n";
    for tool in Tool::ALL {
        // Only runs to /dev/null: with other outputs, the exit time would include writing what is still buffered.
        let own = || runs.iter().filter(|run| run.tool == tool && run.destination == Destination::Null);
        let millis = |value: fn(&Run) -> f64| median(own().map(value));
        let start = millis(|run| run.start.as_secs_f64() * 1000.0);
        let exit = millis(|run| run.ended.exit.as_secs_f64() * 1000.0);
        if let (Some(start), Some(exit)) = (start, exit) {
            let _ = writeln!(text, "| {} | {start:.0} ms | {exit:.0} ms |", tool.name());
        }
    }
}

fn filters(runs: &[FilterRun], text: &mut String) {
    let _ = writeln!(
        text,
        "\n| filter `{FILTER}` | ns above empty | sender slowed by | 1 % matches: sender slowed by | captured | lost | others captured |\n\
         |:--|--:|--:|--:|--:|--:|--:|"
    );
    for tool in Tool::ALL {
        let own = || runs.iter().filter(|run| run.tool == tool);
        let of = |value: fn(&FilterRun) -> f64| median(own().map(value));
        let cost = cell(median(own().filter_map(|run| run.above_empty)), |nanos| format!("{nanos:.0}"));
        if let (Some(rejected), Some(mixed), Some(captured), Some(lost), Some(others)) = (
            of(|run| run.rejected.slowed_by()),
            of(|run| run.mixed.slowed_by()),
            of(|run| run.captured as f64),
            of(|run| run.matching.saturating_sub(run.captured) as f64),
            of(|run| run.others as f64),
        ) {
            let _ = writeln!(
                text,
                "| {} | {cost} | {:.0} % | {:.0} % | {captured} | {lost} | {others} |",
                tool.name(),
                rejected * 100.0,
                mixed * 100.0
            );
        }
    }
}

/// The throughput of one connection, of which the captured interface receives the data.
fn tcp(runs: &[TcpRun], text: &mut String) {
    *text += "\n| TCP, captured by | Gbit/s | share of none | bytes of a frame | kept | CPU time of the tool |\n\
              |:--|--:|--:|--:|--:|--:|\n";
    for way in Way::ALL {
        let own = || runs.iter().filter(|run| run.way == way);
        let Some(rate) = median(own().map(|run| run.rate)) else { continue };
        let shares = own().filter_map(|run| {
            let none = runs.iter().find(|none| none.way == Way::Not && none.round == run.round)?;
            Some(run.rate / none.rate)
        });
        let share = cell(median(shares), |share| format!("{share:.2}"));
        let len = cell(median(own().filter_map(TcpRun::frame_len)), |len| format!("{len:.0}"));
        let kept = own().filter_map(|run| Some(run.captured?.0 as f64 / run.offered as f64 * 100.0));
        let kept = cell(median(kept), |percent| format!("{percent:.1} %"));
        let cpu = own().filter_map(|run| Some(run.captured?.1.as_secs_f64()));
        let cpu = cell(median(cpu), |seconds| format!("{seconds:.2} s"));
        let _ = writeln!(text, "| {} | {:.1} | {share} | {len} | {kept} | {cpu} |", way.name(), rate / 1e9);
    }
    *text += "\nOne connection, which sends for three seconds; the receiver is on the tool's CPU. What is not \
              said to be captured otherwise is what arrives, through mapped rings, all to /dev/null. Bytes of a frame are payload: with segmentation offload a frame has up \
              to 64 KiB.\n";
}

/// The median of ratios, and the smallest and the largest of them.
fn spread(ratios: impl Iterator<Item = f64>) -> String {
    let ratios: Vec<f64> = ratios.collect();
    let (least, most) = ratios
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), ratio| (least.min(*ratio), most.max(*ratio)));
    match (median(ratios.iter().copied()), ratios.len()) {
        (Some(middle), 2..) => format!("{middle:.2} ({least:.2}–{most:.2})"),
        (middle, _) => cell(middle, |middle| format!("{middle:.2}")),
    }
}

fn cell(value: Option<f64>, show: impl FnOnce(f64) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), show)
}

/// The median of the values; `None` if there are none.
fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn a_median_is_the_middle_one_or_between_the_middle_two() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
