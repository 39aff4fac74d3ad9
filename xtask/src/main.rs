//! Every developer command of the project: `cargo xtask --help` lists them.

mod bench;
mod build_ebpf;
mod cargo;
mod check_ebpf;
mod cross;
mod dist;
mod docs;
mod fuzz;
mod manifest;
mod packages;
mod process;
mod run;
mod soak;
mod tally;
mod test;
mod test_needs;
mod toolchain;
mod vm_test;
mod workspace;
mod xdp_access;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands of xdpdump
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure xdpdump beside tcpdump, dumpcap, netsniff-ng and xdp-tools' xdpdump
    Bench(bench::Args),
    /// Rebuild the committed kernel program, installing its toolchain when it is missing
    BuildEbpf(build_ebpf::Args),
    /// Fail when the committed kernel program does not match its sources
    CheckEbpf,
    /// Compile the tool for arm64 and run its unit tests there, in emulation
    Cross(cross::Args),
    /// Make the Debian package, the archive with a static binary, and their checksums
    Dist(dist::Args),
    /// Write the manual pages and shell completions anew, from the table of options
    Docs,
    /// Feed hostile bytes to everything that reads bytes
    Fuzz(fuzz::Args),
    /// Build xdpdump and run it as root: `cargo xtask run -- -i eth0 -w out.pcap`
    Run(run::Args),
    /// Capture for a long time with everything on, and compare the files with what was sent
    Soak(soak::Args),
    /// Run every test: unit, golden and, as root, real-kernel tests
    Test(test::Args),
    /// Run the real-kernel tests on Debian's kernels, each in a virtual machine
    VmTest(vm_test::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Bench(args) => bench::run(&args),
        Task::BuildEbpf(args) => build_ebpf::run(&args),
        Task::CheckEbpf => check_ebpf::run(),
        Task::Cross(args) => cross::run(&args),
        Task::Dist(args) => dist::run(&args),
        Task::Docs => docs::run(),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Run(args) => run::run(&args),
        Task::Soak(args) => soak::run(&args),
        Task::Test(args) => test::run(&args),
        Task::VmTest(args) => vm_test::run(&args),
    };
    // The error is not returned from main, which would print a backtrace if RUST_BACKTRACE is set.
    done.map_or_else(
        |error| {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
