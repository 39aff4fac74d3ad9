//! What a process holds in the kernel's BPF subsystem, by the kernel's numbers.

use std::{collections::BTreeSet, fs, process::Command};

use crate::wait;

/// Numbers of programs, maps and links. The kernel does not give a number away again soon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// Of programs.
    pub programs: BTreeSet<u32>,
    /// Of maps.
    pub maps: BTreeSet<u32>,
    /// Of links.
    pub links: BTreeSet<u32>,
}

impl Objects {
    /// What a process has open.
    pub fn of_process(pid: i32) -> Self {
        let mut objects = Self::default();
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap() {
            // Some may be closed meanwhile.
            let info = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            for line in info.lines() {
                let Some((key, value)) = line.split_once(":\t") else { continue };
                let numbers = match key {
                    // A link tells the number of its program as well.
                    "prog_id" => &mut objects.programs,
                    "map_id" => &mut objects.maps,
                    "link_id" => &mut objects.links,
                    _ => continue,
                };
                numbers.insert(value.parse().unwrap());
            }
        }
        objects
    }

    /// Everything there is in the kernel.
    pub fn all() -> Self {
        Self { programs: listed("prog"), maps: listed("map"), links: listed("link") }
    }

    /// Adds what another process held.
    pub fn extend(&mut self, other: Self) {
        self.programs.extend(other.programs);
        self.maps.extend(other.maps);
        self.links.extend(other.links);
    }

    /// Waits until none of them is there any more.
    pub fn assert_gone(&self) {
        wait::until_equal(&Self::default(), || self.left());
    }

    /// Those of these that are still there.
    fn left(&self) -> Self {
        let all = Self::all();
        Self {
            programs: &self.programs & &all.programs,
            maps: &self.maps & &all.maps,
            links: &self.links & &all.links,
        }
    }
}

/// The numbers at the beginning of the lines of `bpftool`, which fails when another process makes or ends an object
/// meanwhile.
fn listed(kind: &str) -> BTreeSet<u32> {
    let mut numbers = None;
    wait::until(|| {
        let output =
            Command::new("bpftool").args([kind, "list"]).output().expect("bpftool runs (package bpftool)");
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        numbers = output.status.success().then_some(list);
        numbers.is_some()
    });
    let list = numbers.unwrap_or_default();
    list.lines().filter_map(|line| line.split_once(':')?.0.parse().ok()).collect()
}
