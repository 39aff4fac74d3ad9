//! The measurements as JSON.

use serde_json::{Value, json};

use super::filter::FilterRun;
use super::plan::{KernelRun, Results, Run};
use super::tcp::TcpRun;
use super::{Args, key, machine};

/// All measurements, one element each. Times are in nanoseconds.
pub fn document(args: &Args, results: &Results) -> Value {
    json!({
        "machine": machine::description(),
        "buffer_mib": args.buffer,
        "captures": results.runs.iter().map(capture).collect::<Vec<_>>(),
        "programs": results.kernel.iter().map(program).collect::<Vec<_>>(),
        "tcp": results.tcp.iter().map(tcp).collect::<Vec<_>>(),
        "filters": results.filters.iter().map(filter).collect::<Vec<_>>(),
    })
}

fn capture(run: &Run) -> Value {
    json!({
        "round": run.round,
        "tool": key(&run.tool),
        "frame_len": run.frame_len,
        "output": key(&run.destination),
        "buffer_mib": run.buffer,
        "file_len": run.file_len,
        "offered": run.offered,
        "kept": run.ended.kept,
        "reader_cpu_ns": nanos(run.ended.cpu),
        "reader_cpu_ns_per_frame": run.cpu_per_frame(),
        "frames_per_second": run.rate,
        "frames_per_second_empty_program": run.empty_rate,
        "peak_memory_kib": run.ended.peak_kib,
        "start_ns": nanos(run.start),
        "exit_ns": nanos(run.ended.exit),
    })
}

fn program(run: &KernelRun) -> Value {
    json!({
        "round": run.round,
        "tool": key(&run.tool),
        "frame_len": run.frame_len,
        "offered": run.offered,
        "kept": run.kept,
        "empty_program_ns": run.empty,
        "above_empty_ns": run.above_empty,
    })
}

fn filter(run: &FilterRun) -> Value {
    json!({
        "round": run.round,
        "tool": key(&run.tool),
        "rejected_above_empty_ns": run.above_empty,
        "rejected_frames_per_second": run.rejected.rate,
        "rejected_frames_per_second_empty_program": run.rejected.empty_rate,
        "rejected_reader_cpu_ns": nanos(run.rejected.cpu),
        "mixed_frames_per_second": run.mixed.rate,
        "mixed_frames_per_second_empty_program": run.mixed.empty_rate,
        "mixed_reader_cpu_ns": nanos(run.mixed.cpu),
        "mixed_offered": run.offered,
        "mixed_matching": run.matching,
        "mixed_captured_matching": run.captured,
        "mixed_captured_others": run.others,
    })
}

fn tcp(run: &TcpRun) -> Value {
    json!({
        "round": run.round,
        "captured_by": run.way.name(),
        "bits_per_second": run.rate,
        "bytes": run.bytes,
        "frames": run.frames,
        "kept": run.captured.map(|(kept, _)| kept),
        "reader_cpu_ns": run.captured.map(|(_, cpu)| nanos(cpu)),
    })
}

fn nanos(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
