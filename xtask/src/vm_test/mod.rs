//! `cargo xtask vm-test`: runs the real-kernel tests on several kernels that are in use, each in a virtual machine.

mod archive;
mod cpio;
mod image;
mod kernels;
mod machine;
mod modules;
mod qemu;
mod report;

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use self::image::Image;
use self::kernels::{KERNELS, Kernel};
use self::machine::{End, Machine};
use self::qemu::Qemu;
use self::report::{Line, Results};
use crate::cargo::{self, Executable};
use crate::tally::Tally;
use crate::{packages, test_needs, workspace};

/// Programs that this command needs, with their packages.
const PROGRAMS: [(&str, &str); 7] = [
    ("setpriv", "util-linux"),
    ("depmod", "kmod"),
    ("modprobe", "kmod"),
    ("xz", "xz-utils"),
    ("dpkg-deb", "dpkg"),
    ("make", "make"),
    ("gcc", "gcc"),
];

/// The kernels that `cargo xtask test` boots; the second is for tests that need a real-time kernel.
const USUAL: [&str; 2] = ["6.12", "newest-rt"];

/// One host thread emulates all CPUs of a machine. With a thread for each CPU, one CPU may execute an instruction that
/// another has just replaced, which Linux does in its own code when XDP programs are attached or detached
/// (`bpf_dispatcher`): under qemu 7.2 this ends with an oops "int3".
const EMULATION: &str = "tcg,thread=single";

/// How many times slower than usual an emulated CPU is.
const EMULATED: u32 = 20;

/// Options of `vm-test`.
#[derive(clap::Args)]
#[command(
    after_help = "Downloads from deb.debian.org, once: package lists (10 MB a Debian release), the kernels' packages \
    (50 to 110 MB each), busybox, and for 6.1, 6.12 and 6.12-rt the headers and source (170 MB), of which netdevsim, a simulated NIC that takes offloaded programs, and a simulated adapter with a clock are built. They are unpacked into $XDG_CACHE_HOME/xdpdump/vm \
    (~/.cache/xdpdump/vm) and not installed; remove a kernel's folder there to have its newest build again. Where no \
    qemu-system-x86_64 is installed, it is unpacked into target/qemu (20 MB). The machines' consoles are in target/vm."
)]
pub struct Args {
    /// Kernel to test on, may be given several times; all of them by default
    #[arg(long, value_name = "NAME", value_parser = parse_kernel)]
    kernel: Vec<Kernel>,

    /// Test binary to build and run, such as vm_clock, may be given several times; all of them by default
    #[arg(long, value_name = "NAME")]
    test: Vec<String>,

    /// List the kernels and exit
    #[arg(long)]
    list: bool,

    /// How to run a machine: `tcg` works everywhere, `kvm` is ten times as fast
    #[arg(long, value_name = "ACCELERATOR", default_value = EMULATION)]
    accel: String,

    /// Arguments of the test binaries, such as a part of a test's name
    #[arg(last = true, value_name = "TEST_ARGS")]
    for_tests: Vec<String>,
}

fn parse_kernel(name: &str) -> Result<Kernel, String> {
    Kernel::find(name).ok_or_else(|| {
        format!("there is no such kernel; the kernels are {}", KERNELS.map(|kernel| kernel.name).join(", "))
    })
}

/// Runs the tests on the kernels that were asked for.
pub fn run(args: &Args) -> Result<()> {
    if args.list {
        for kernel in KERNELS {
            println!("{kernel:10} linux-image-{} of Debian {}", kernel.flavour, kernel.suite.name);
        }
        return Ok(());
    }
    let host = Host::provide()?;
    let tests = build(&args.test)?;
    let kernels = if args.kernel.is_empty() { &KERNELS[..] } else { &args.kernel };
    let all = test_all(&host, kernels, &tests, args);
    println!("\n{}", report::table(&all, |target| title(&tests, target)));
    let failed: Vec<_> =
        all.iter().filter(|(_, results)| !results.is_success()).map(|(name, _)| *name).collect();
    if !failed.is_empty() {
        bail!("tests failed on {}: look for `FAILED` above", failed.join(", "));
    }
    Ok(())
}

/// Builds the test binaries: the real-kernel tests, and those that need a virtual machine. If some are `named`, only those.
fn build(named: &[String]) -> Result<Vec<Executable>> {
    let mut cargo = cargo::command();
    cargo.args(["test", "--package", "xdpdump", "--no-run"]);
    cargo.args(named.iter().flat_map(|name| ["--test", name]));
    let built = cargo::build(&mut cargo)?;
    // kernel_docs runs tools and waits; what it would show of a kernel, others show.
    let wanted = |name: &str| name.starts_with("kernel") && name != "kernel_docs" || name.starts_with("vm_");
    let mut tests: Vec<_> =
        built.into_iter().filter(|built| built.is_test && wanted(&built.target)).collect();
    // Sort them, because cargo lists them in the order in which they were finished.
    tests.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(tests)
}

/// Runs the tests on every kernel. As many machines run at the same time as the host has CPUs, because an emulated machine
/// keeps one CPU busy.
fn test_all(
    host: &Host,
    kernels: &[Kernel],
    tests: &[Executable],
    args: &Args,
) -> Vec<(&'static str, Results)> {
    // One after the other, because they share parts of the cache.
    let images = kernels.iter().map(|kernel| provide(&host.cache, *kernel));
    let work: Vec<_> = kernels.iter().zip(images).map(|(kernel, image)| (*kernel, image)).collect();
    let results: Vec<Mutex<Results>> = work.iter().map(|_| Mutex::default()).collect();
    let queue = Mutex::new(work.iter().zip(&results));
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let machines = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..machines {
            scope.spawn(|| {
                while let Some(((kernel, image), result)) = take() {
                    let outcome = match image {
                        Ok(image) => test(host, *kernel, image, tests, args),
                        Err(error) => Err(anyhow!("{error:#}")),
                    };
                    *result.lock().unwrap_or_else(PoisonError::into_inner) =
                        outcome.unwrap_or_else(|error| {
                            println!("{kernel}: FAILED: {error:#}");
                            Results::default()
                        });
                }
            });
        }
    });
    let results = results.into_iter().map(|result| result.into_inner().unwrap_or_default());
    kernels.iter().map(|kernel| kernel.name).zip(results).collect()
}

/// The title of a test binary: the first sentence of its source.
fn title(tests: &[Executable], target: &str) -> String {
    let binary = tests.iter().find(|test| test.target == target);
    let source = binary.map(|test| test.package.join("tests").join(target));
    let text = source.and_then(|path| {
        [path.with_extension("rs"), path.join("main.rs")]
            .iter()
            .find_map(|path| fs::read_to_string(path).ok())
    });
    text.and_then(|text| first_sentence(&text)).unwrap_or_else(|| target.to_owned())
}

fn first_sentence(source: &str) -> Option<String> {
    let doc: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let sentence = doc.join(" ").split_once(". ")?.0.to_owned();
    Some(sentence)
}

/// Runs the tests that are only for virtual machines, each on the first kernel of [`USUAL`] that can run it.
///
/// # Errors
/// When no virtual machine can be run. A failed test is not an error.
pub fn run_usual(tests: &[Executable], for_tests: &[OsString]) -> Result<Tally> {
    let host = Host::provide()?;
    let for_tests = for_tests.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let args = Args { kernel: vec![], test: vec![], list: false, accel: EMULATION.to_owned(), for_tests };
    let mut left = tests.to_vec();
    let mut tally = Tally::default();
    for name in USUAL {
        let kernel = Kernel::find(name).context("a usual kernel is not one of the list")?;
        let (here, elsewhere) = left.into_iter().partition(|test| kernel.runs(&test.target));
        left = elsewhere;
        let image = provide(&host.cache, kernel)?;
        tally += test(&host, kernel, &image, &here, &args)?.tally();
    }
    Ok(tally)
}

/// What virtual machines need on the host.
struct Host {
    qemu: Qemu,
    /// The folder with the kernels.
    cache: PathBuf,
    /// A statically linked busybox.
    busybox: PathBuf,
}

impl Host {
    /// Installs and downloads what is missing, except for kernels.
    fn provide() -> Result<Self> {
        if env::consts::ARCH != "x86_64" {
            bail!("the kernels are for x86-64, and tests built on this machine do not run on them");
        }
        packages::provide(&PROGRAMS)?;
        // The machines see the host's files, and run its programs.
        test_needs::provide_programs()?;
        let cache = cache()?;
        Ok(Self { qemu: Qemu::provide()?, busybox: image::busybox(&cache)?, cache })
    }
}

/// The kernel and its modules, which are downloaded and built if they are missing.
fn provide(cache: &Path, kernel: Kernel) -> Result<Image> {
    let image = Image::provide(cache, kernel)?;
    if let Some(version) = kernel.source {
        modules::provide(cache, kernel.suite, version, kernel.has_adapter(), &image)?;
    }
    Ok(image)
}

fn test(host: &Host, kernel: Kernel, image: &Image, tests: &[Executable], args: &Args) -> Result<Results> {
    let tests = tests.iter().filter(|test| kernel.runs(&test.target));
    let folder = workspace::root().join("target/vm");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let initramfs = folder.join(format!("{kernel}.initramfs"));
    fs::write(&initramfs, image.initramfs(&host.busybox, &script(image, tests, args)?)?)
        .with_context(|| format!("cannot write {}", initramfs.display()))?;

    let console = folder.join(format!("{kernel}.log"));
    let machine =
        Machine { qemu: &host.qemu, image, initramfs: &initramfs, console, accelerator: &args.accel };
    println!("{kernel}: booting {}; its console is {}", image.release, machine.console.display());
    let mut results = Results::default();
    let end = machine.run(|text| match results.line(text) {
        Line::Test(name, result) => println!("{kernel}: {name} ... {result}"),
        Line::Detail => println!("{kernel}: | {text}"),
        Line::Mark => {}
    })?;
    if !results.complete {
        let what = match end {
            End::Off => "ended before its tests did",
            End::Silent => "had no output for too long and was switched off",
            End::Late => "ran for too long and was switched off",
        };
        println!("{kernel}: FAILED: the machine {what}; the end of its console:\n{}", machine.last_words());
    }
    Ok(results)
}

/// The script that runs in the guest, see guest.sh.
fn script<'a>(image: &Image, tests: impl Iterator<Item = &'a Executable>, args: &Args) -> Result<String> {
    let path = |path: &Path| -> Result<String> {
        Ok(quote(path.to_str().context("a path is not UTF-8: move the tree elsewhere")?))
    };
    let arguments = args.for_tests.iter().map(|argument| quote(argument)).collect::<Vec<_>>().join(" ");
    let slowness = if args.accel.starts_with("tcg") { EMULATED } else { 1 };
    let mut script = format!("modules={}\nslowness={slowness}\ntests() {{\n", path(&image.modules())?);
    for test in tests {
        let (package, binary) = (path(&test.package)?, path(&test.path)?);
        let _ = writeln!(script, "run {} {package} {binary} {arguments}", test.target);
    }
    script.push_str("}\n");
    Ok(script)
}

/// Quotes a word for the shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn cache() -> Result<PathBuf> {
    let base =
        env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")));
    Ok(base.context("there is no home folder: set XDG_CACHE_HOME")?.join("xdpdump/vm"))
}

#[cfg(test)]
mod tests {
    use super::{first_sentence, quote};

    #[test]
    fn a_title_is_the_first_sentence() {
        let source = "//! Frames that are\n//! captured. Needs root.\n\nuse std::fs;\n";
        assert_eq!(first_sentence(source).as_deref(), Some("Frames that are captured"));
        assert_eq!(first_sentence("use std::fs;\n"), None);
    }

    #[test]
    fn quoted_words_reach_the_shell_unchanged() {
        let word = "it's a $HOME `x` \"y\"";
        let shell =
            std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quote(word))]).output();
        assert_eq!(String::from_utf8(shell.unwrap().stdout).unwrap(), word);
    }
}
