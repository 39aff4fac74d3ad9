//! The kernel's simulated NIC, which accepts offloaded programs but does not run them.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{
    netns::{self, NetNs},
    vm,
};

/// A simulated NIC with one port, in a namespace of its own.
#[derive(Debug)]
pub struct Nic {
    number: u32,
    /// The namespace that contains its port.
    pub netns: NetNs,
    /// The port's name.
    pub port: String,
}

impl Nic {
    /// Creates a NIC.
    ///
    /// # Panics
    /// Outside the virtual machine, or when its kernel has no netdevsim.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        vm::required();
        netns::run("modprobe", ["netdevsim"]);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let netns = NetNs::new();
        netns.run(|| vm::write("/sys/bus/netdevsim/new_device", &format!("{number} 1")));
        let links = netns.ip(["-brief", "link"]);
        let port = links.lines().filter_map(|line| line.split([' ', '@']).next()).find(|name| *name != "lo");
        let port = port.unwrap_or_else(|| panic!("no port among {links}")).to_owned();
        netns.ip(["link", "set", &port, "up"]);
        Self { number, netns, port }
    }

    /// Switches off one of the driver's "accept" settings.
    pub fn refuse(&self, setting: &str) {
        let path = [self.debug().join(setting), self.debug().join("ports/0").join(setting)]
            .into_iter()
            .find(|path| path.exists());
        vm::write(path.unwrap().to_str().unwrap(), "N");
    }

    /// For each program that the driver was given, in the order of loading, whether the driver has it loaded now.
    pub fn programs(&self) -> Vec<bool> {
        let folder = fs::read_dir(self.debug().join("bpf_bound_progs")).unwrap();
        let loaded = folder.map(|entry| fs::read_to_string(entry.unwrap().path().join("loaded")).unwrap());
        loaded.map(|loaded| loaded.trim() == "Y").collect()
    }

    fn debug(&self) -> PathBuf {
        PathBuf::from(format!("/sys/kernel/debug/netdevsim/netdevsim{}", self.number))
    }
}

impl Drop for Nic {
    fn drop(&mut self) {
        // A failure of the test itself is more important than a failure here.
        let _ = fs::write("/sys/bus/netdevsim/del_device", self.number.to_string());
    }
}
