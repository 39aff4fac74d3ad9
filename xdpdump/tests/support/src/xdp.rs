//! A minimal XDP program, attached to interfaces without the code under test.

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
};

use crate::bpf::{self, Instruction};

const BPF_XDP: u32 = 37;

/// `XDP_FLAGS_SKB_MODE` (`include/uapi/linux/if_link.h`).
pub const SKB_MODE: u32 = 1 << 1;
/// `XDP_FLAGS_DRV_MODE`.
pub const DRIVER_MODE: u32 = 1 << 2;

/// A loaded program that passes every frame.
#[derive(Debug)]
pub struct PassProgram(OwnedFd);

/// Keeps a program attached until it is dropped.
#[derive(Debug)]
pub struct Attachment {
    _link: OwnedFd,
}

impl PassProgram {
    /// Loads it under the name `pass`.
    pub fn load() -> Self {
        // r0 = XDP_PASS; exit
        Self(bpf::load_xdp("pass", &[Instruction(0xb7, 0, 0, 2), Instruction(0x95, 0, 0, 0)]))
    }

    /// Its id in the kernel.
    pub fn id(&self) -> u32 {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0.as_raw_fd())).unwrap();
        let id = info.lines().find_map(|line| line.strip_prefix("prog_id:")).unwrap();
        id.trim().parse().unwrap()
    }

    /// Attaches it to an interface of the calling thread's namespace by a `bpf_link`, in one of the modes above.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn attach(&self, interface_index: u32, mode: u32) -> Attachment {
        self.try_attach(interface_index, mode).unwrap()
    }

    /// Like [`PassProgram::attach`], but returns the error.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn try_attach(&self, interface_index: u32, mode: u32) -> io::Result<Attachment> {
        let link = bpf::attach(&self.0, interface_index, BPF_XDP, mode)?;
        Ok(Attachment { _link: link })
    }
}
