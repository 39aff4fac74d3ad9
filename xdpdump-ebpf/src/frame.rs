//! A frame as the kernel passes it to a program: on its way in, at the XDP hook, or on its way out, at the tc hook.

use core::{arch::asm, ffi::c_void};

use aya_ebpf::{
    bindings::{__sk_buff, xdp_action, xdp_md},
    helpers::generated::{bpf_skb_load_bytes, bpf_xdp_get_buff_len, bpf_xdp_load_bytes},
};
use xdpdump_ebpf::{Adapter, TAG_LEN, flags, pcapng::packet, stub};

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

    /// The receive queue of the interface, where there is one.
    fn queue(self) -> Option<u32>;

    /// The VLAN tag that the kernel keeps apart from the bytes of the frame, as it would be in the frame, in network byte
    /// order; 0 if there is none.
    fn tag(self) -> u32;

    /// Where the first bytes of the frame begin in memory, and where they end; the verifier demands a comparison with the end
    /// before an access.
    fn first_buffer(self) -> (*const u8, *const u8);

    /// Copies `len` bytes of the frame, from `offset` on, without the tag that is kept apart. Returns whether that
    /// succeeded.
    ///
    /// # Safety
    /// `len` bytes can be written at `to`.
    unsafe fn load(self, offset: u32, to: *mut u8, len: u32) -> bool;
}

/// A received frame at the XDP hook. `WHOLE` if the program accepts frames in several buffers.
#[derive(Clone, Copy)]
pub struct Received<const WHOLE: bool> {
    ctx: *mut xdp_md,
    tag: u32,
}

impl<const WHOLE: bool> Received<WHOLE> {
    #[inline(always)]
    pub fn new(ctx: *mut xdp_md) -> Self {
        let (mut protocol, mut rest) = (0u16, 0u16);
        // SAFETY: the function writes only to the two variables.
        let result =
            unsafe { ask::<{ stub::RECEIVED_TAG }>(ctx, (&raw mut protocol).cast(), (&raw mut rest).cast()) };
        Self { ctx, tag: if result as u32 == 0 { whole_tag(protocol, rest) } else { 0 } }
    }

    /// What the adapter says about the frame, and the bits of [`flags`] that go with it.
    #[inline(always)]
    pub fn adapter(self) -> (Adapter, u16) {
        let mut adapter = Adapter::default();
        let mut kind = 0u32;
        // SAFETY: the functions write only to the fields and to the variable.
        let (time, hash) = unsafe {
            (
                ask::<{ stub::RECEIVED_TIME }>(
                    self.ctx,
                    (&raw mut adapter.time).cast(),
                    core::ptr::null_mut(),
                ),
                ask::<{ stub::RECEIVED_HASH }>(
                    self.ctx,
                    (&raw mut adapter.hash).cast(),
                    (&raw mut kind).cast(),
                ),
            )
        };
        if time as u32 != 0 {
            adapter.time = 0;
        }
        // A driver that did not hash this frame says that the hash is of no kind (`XDP_RSS_TYPE_NONE`, include/net/xdp.h).
        let flags = if hash as u32 == 0 && kind != 0 { flags::ADAPTER | flags::HASH } else { flags::ADAPTER };
        (adapter, flags)
    }

    /// The frame without what the driver knows of it, which a program on a NIC cannot ask for.
    #[inline(always)]
    pub fn bare(ctx: *mut xdp_md) -> Self {
        Self { ctx, tag: 0 }
    }
}

/// Calls the kernel function that user space puts in place of the stub: it asks the driver about the frame.
///
/// # Safety
/// The function may write to what `first` and `second` point to, of the size that it expects.
#[inline(always)]
unsafe fn ask<const STUB: i32>(ctx: *mut xdp_md, first: *mut c_void, second: *mut c_void) -> u64 {
    let result: u64;
    // SAFETY: the function changes only registers that a call may change, and what the caller allows.
    unsafe {
        asm!(
            "call {stub}",
            stub = const STUB,
            lateout("r0") result,
            inlateout("r1") ctx => _,
            inlateout("r2") first => _,
            inlateout("r3") second => _,
            lateout("r4") _,
            lateout("r5") _,
        );
    }
    result
}

/// A VLAN tag as it is in a frame, in network byte order. The kernel has its protocol in network byte order, but not the
/// rest.
#[inline(always)]
fn whole_tag(protocol: u16, rest: u16) -> u32 {
    let ([a, b], [c, d]) = (protocol.to_ne_bytes(), rest.to_be_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

impl<const WHOLE: bool> Frame for Received<WHOLE> {
    const DIRECTION: u32 = packet::INBOUND;
    const VERDICT: Option<u32> = Some(xdp_action::XDP_PASS);

    #[inline(always)]
    fn context(self) -> *mut c_void {
        self.ctx.cast()
    }

    #[inline(always)]
    fn wire_len(self) -> u32 {
        // SAFETY: the context is the one that the kernel passed; the helper only reads it.
        let len = unsafe {
            if WHOLE {
                bpf_xdp_get_buff_len(self.ctx) as u32
            } else {
                (*self.ctx).data_end - (*self.ctx).data
            }
        };
        if self.tag == 0 { len } else { len + TAG_LEN as u32 }
    }

    #[inline(always)]
    fn queue(self) -> Option<u32> {
        // SAFETY: as above.
        Some(unsafe { (*self.ctx).rx_queue_index })
    }

    #[inline(always)]
    fn tag(self) -> u32 {
        self.tag
    }

    #[inline(always)]
    fn first_buffer(self) -> (*const u8, *const u8) {
        // SAFETY: the context is the one that the kernel passed.
        unsafe { ((*self.ctx).data as usize as *const u8, (*self.ctx).data_end as usize as *const u8) }
    }

    #[inline(always)]
    unsafe fn load(self, offset: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: the context is the one that the kernel passed; the caller guarantees the memory.
        unsafe { bpf_xdp_load_bytes(self.ctx, offset, to.cast(), len) == 0 }
    }
}

/// A frame that the network stack sends, at the tc hook of the interface.
#[derive(Clone, Copy)]
pub struct Sent {
    ctx: *mut __sk_buff,
    tag: u32,
}

impl Sent {
    #[inline(always)]
    pub fn new(ctx: *mut __sk_buff) -> Self {
        // SAFETY: the context is the one that the kernel passed.
        let tag = unsafe {
            match (*ctx).vlan_present {
                0 => 0,
                _ => whole_tag((*ctx).vlan_proto as u16, (*ctx).vlan_tci as u16),
            }
        };
        Self { ctx, tag }
    }
}

impl Frame for Sent {
    const DIRECTION: u32 = packet::OUTBOUND;
    const VERDICT: Option<u32> = None;

    #[inline(always)]
    fn context(self) -> *mut c_void {
        self.ctx.cast()
    }

    #[inline(always)]
    fn wire_len(self) -> u32 {
        // SAFETY: the context is the one that the kernel passed.
        let len = unsafe { (*self.ctx).len };
        if self.tag == 0 { len } else { len + TAG_LEN as u32 }
    }

    /// At this hook, the queue for sending is not chosen yet (`__dev_queue_xmit`, net/core/dev.c, v6.18).
    #[inline(always)]
    fn queue(self) -> Option<u32> {
        None
    }

    #[inline(always)]
    fn tag(self) -> u32 {
        self.tag
    }

    #[inline(always)]
    fn first_buffer(self) -> (*const u8, *const u8) {
        // SAFETY: the context is the one that the kernel passed.
        unsafe { ((*self.ctx).data as usize as *const u8, (*self.ctx).data_end as usize as *const u8) }
    }

    #[inline(always)]
    unsafe fn load(self, offset: u32, to: *mut u8, len: u32) -> bool {
        // SAFETY: the context is the one that the kernel passed; the caller guarantees the memory.
        unsafe { bpf_skb_load_bytes(self.context(), offset, to.cast(), len) == 0 }
    }
}
