//! Packet capture at the XDP hook.

<<<<<<< HEAD
pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod input;
pub mod interface;
pub mod order;
=======
pub mod decode;
>>>>>>> decode
pub mod output;
pub mod packet;
pub mod probe;
pub mod replay;
pub mod transport;
