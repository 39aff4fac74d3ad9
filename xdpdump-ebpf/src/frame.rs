//! A frame as the kernel passes it to a program: on its way in, at the XDP hook, or on its way out, at the tc hook.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::{__sk_buff, xdp_action, xdp_md},
    helpers::generated::{bpf_skb_load_bytes, bpf_xdp_get_buff_len, bpf_xdp_load_bytes},
};
use xdpdump_ebpf::pcapng::packet;

/// What the programs need to know about a frame.
pub trait Frame: Copy {
    /// The direction in `epb_flags`.
    const DIRECTION: u32;

    /// The verdict on the frame (`enum xdp_action`), where there is one.
    const VERDICT: Option<u32>;

    /// The program's context.
    fn context(self) -> *mut c_void;

    /// Length on the wire in bytes.
    fn wire_len(self) -> u32;

    /// The queue of the interface.
    fn queue(self) -> u32;

    /// The VLAN tag that the kernel keeps apart from the bytes of the frame, as it would be in the frame, in network byte
    /// order; 0 if there is none.
    fn tag(self) -> u32;

    /// Copies `len` bytes of the frame, from `offset` on, without the tag that is kept apart. Returns whether that
    /// succeeded.
    ///
    /// # Safety
    /// `len` bytes can be written at `to`.
    unsafe fn load(self, offset: u32, to: *mut u8, len: u32) -> bool;
}

/// A received frame at the XDP hook. `WHOLE` if the program accepts frames in several buffers.
#[derive(Clone, Copy)]
pub struct Received<const WHOLE: bool>(pub *mut xdp_md);

impl<const WHOLE: bool> Frame for Received<WHOLE> {
    const DIRECTION: u32 = packet::INBOUND;
    const VERDICT: Option<u32> = Some(xdp_action::XDP_PASS);

    #[inline(always)]
    fn context(self) -> *mut c_void {
        self.0.cast()
    }

    #[inline(always)]
    fn wire_len(self) -> u32 {
        // SAFETY: the context is the one that the kernel passed; the helper only reads it.
        unsafe {
            if WHOLE { bpf_xdp_get_buff_len(self.0) as u32 } else { (*self.0).data_end - (*self.0).data }
        }
    }

    #[inline(always)]
    fn queue(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).rx_queue_index }
    }

    #[inline(always)]
    fn tag(self) -> u32 {
        0
    }

    #[inline(always)]
    unsafe fn load(self, offset: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: the context is the one that the kernel passed; the caller guarantees the memory.
        unsafe { bpf_xdp_load_bytes(self.0, offset, to.cast(), len) == 0 }
    }
}

/// A frame that the network stack sends, at the tc hook of the interface.
#[derive(Clone, Copy)]
pub struct Sent(pub *mut __sk_buff);

impl Frame for Sent {
    const DIRECTION: u32 = packet::OUTBOUND;
    const VERDICT: Option<u32> = None;

    #[inline(always)]
    fn context(self) -> *mut c_void {
        self.0.cast()
    }

    #[inline(always)]
    fn wire_len(self) -> u32 {
        // SAFETY: the context is the one that the kernel passed.
        let (len, has_tag) = unsafe { ((*self.0).len, (*self.0).vlan_present) };
        if has_tag == 0 { len } else { len + 4 }
    }

    #[inline(always)]
    fn queue(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).queue_mapping }
    }

    #[inline(always)]
    fn tag(self) -> u32 {
        // SAFETY: as above.
        unsafe {
            if (*self.0).vlan_present == 0 {
                return 0;
            }
            // The protocol is in network byte order, the rest of the tag is not.
            let [a, b] = ((*self.0).vlan_proto as u16).to_ne_bytes();
            let [c, d] = ((*self.0).vlan_tci as u16).to_be_bytes();
            u32::from_ne_bytes([a, b, c, d])
        }
    }

    #[inline(always)]
    unsafe fn load(self, offset: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: the context is the one that the kernel passed; the caller guarantees the memory.
        unsafe { bpf_skb_load_bytes(self.context(), offset, to.cast(), len) == 0 }
    }
}
