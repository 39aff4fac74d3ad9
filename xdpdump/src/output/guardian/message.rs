//! The messages from a writer to its guardian.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// Most bytes that a file may end with.
const END: usize = 8;

/// A message: a slot number in the shared page and the file to guard with that slot. Without a file, the guardian closes
/// the file of that slot.
#[derive(Debug)]
pub struct Message {
    pub slot: u32,
    pub file: Option<OwnedFd>,
    /// What belongs behind the last whole record.
    pub end: Vec<u8>,
}

/// The two ends of a connection that keeps message boundaries and order.
pub fn connection() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends a message. Fails instead of waiting when the guardian does not read.
pub fn send(socket: impl AsFd, slot: u32, file: Option<BorrowedFd<'_>>, end: &[u8]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = file.map(|file| [file]);
    if let Some(files) = &files {
        control.push(SendAncillaryMessage::ScmRights(files));
    }
    let slot = slot.to_ne_bytes();
    sendmsg(
        socket,
        &[IoSlice::new(&slot), IoSlice::new(end)],
        &mut control,
        SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
    )?;
    Ok(())
}

/// Waits for the next message; `None` when the other end is closed and every message has been received.
pub fn receive(socket: impl AsFd) -> io::Result<Option<Message>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slot = [0; 4];
    let mut end = [0; END];
    let received = loop {
        let buffer = &mut [IoSliceMut::new(&mut slot), IoSliceMut::new(&mut end)];
        match recvmsg(&socket, buffer, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            result => break result?.bytes,
        }
    };
    if received == 0 {
        return Ok(None);
    }
    let mut file = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = message {
            file = files.last();
        }
    }
    let end = end.get(..received.saturating_sub(slot.len())).unwrap_or_default().to_vec();
    Ok(Some(Message { slot: u32::from_ne_bytes(slot), file, end }))
}
