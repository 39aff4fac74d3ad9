//! The first sequence numbers of TCP conversations; later numbers are printed relative to them.

use std::collections::{HashMap, VecDeque};

use crate::decode::address::Address;

/// Number of conversations remembered in each of two generations. When the younger generation is full, the older one is
/// forgotten.
const GENERATION: usize = 32_768;

/// One end of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::decode) struct Endpoint {
    pub(in crate::decode) address: Address,
    pub(in crate::decode) port: u16,
}

impl Endpoint {
    fn key(&self) -> (u16, [u8; 16]) {
        let mut bytes = [0; 16];
        match self.address {
            Address::V4(address) => bytes[..4].copy_from_slice(&address.0),
            Address::V6(address) => bytes = address.0,
        }
        (self.port, bytes)
    }
}

/// The first sequence numbers of a conversation's two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Base {
    seq: u32,
    ack: u32,
}

/// What to subtract from the numbers of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::decode) struct Numbers {
    pub(in crate::decode) seq: u32,
    pub(in crate::decode) ack: u32,
    pub(in crate::decode) sack: u32,
}

/// The TCP conversations seen so far, in bounded memory.
#[derive(Debug, Default)]
pub(in crate::decode) struct Conversations {
    exchanges: VecDeque<Exchange>,
    calls: VecDeque<Call>,
    young: HashMap<(Endpoint, Endpoint), Base>,
    old: HashMap<(Endpoint, Endpoint), Base>,
}

/// A key exchange: the initiator's number of it, the initiator and the responder.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    number: [u8; 8],
    initiator: Address,
    responder: Address,
}

/// A remote procedure call: its number, who called whom, and what.
#[derive(Clone, Copy, Debug)]
struct Call {
    id: u32,
    client: Address,
    server: Address,
    version: u32,
    procedure: u32,
}

/// Number of calls remembered; as many as tcpdump remembers.
const CALLS: usize = 64;

/// Number of key exchanges remembered; as many as tcpdump remembers.
const EXCHANGES: usize = 20;

impl Conversations {
    /// Remembers a call, whose reply does not say what was called.
    pub(in crate::decode) fn record_call(
        &mut self,
        id: u32,
        client: Address,
        server: Address,
        version: u32,
        procedure: u32,
    ) {
        self.calls.retain(|call| (call.id, call.client, call.server) != (id, client, server));
        if self.calls.len() == CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(Call { id, client, server, version, procedure });
    }

    /// Version and procedure of a call.
    pub(in crate::decode) fn call(&self, id: u32, client: Address, server: Address) -> Option<(u32, u32)> {
        let same = |call: &&Call| (call.id, call.client, call.server) == (id, client, server);
        self.calls.iter().find(same).map(|call| (call.version, call.procedure))
    }

    /// Remembers who began a key exchange.
    pub(in crate::decode) fn record_exchange(
        &mut self,
        number: [u8; 8],
        initiator: Address,
        responder: Address,
    ) {
        if number == [0; 8] || self.exchanges.iter().any(|exchange| exchange.number == number) {
            return;
        }
        if self.exchanges.len() == EXCHANGES {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange { number, initiator, responder });
    }

    /// Whether a message of a key exchange is the initiator's (`I`), the responder's (`R`) or of an exchange whose beginning
    /// was not seen (`?`).
    pub(in crate::decode) fn side_of_exchange(&self, number: [u8; 8], src: Address, dst: Address) -> char {
        let exchange = self.exchanges.iter().find(|exchange| exchange.number == number);
        match exchange {
            Some(exchange) if (exchange.initiator, exchange.responder) == (src, dst) => 'I',
            Some(exchange) if (exchange.initiator, exchange.responder) == (dst, src) => 'R',
            _ => '?',
        }
    }

    /// The base of a segment's numbers. The numbers of a segment that starts a conversation (`restart`, or the first one
    /// seen of it) are printed unchanged, except in its SACK blocks.
    pub(in crate::decode) fn base(
        &mut self,
        src: Endpoint,
        dst: Endpoint,
        seq: u32,
        ack: u32,
        restart: bool,
    ) -> Numbers {
        let reverse = src.key() > dst.key();
        let key = if reverse { (dst, src) } else { (src, dst) };
        let known = if restart { None } else { self.find(key) };
        if let Some(forward) = known {
            let base = if reverse { Base { seq: forward.ack, ack: forward.seq } } else { forward };
            return Numbers { seq: base.seq, ack: base.ack, sack: base.ack };
        }
        let acked = ack.wrapping_sub(1);
        let forward = if reverse { Base { seq: acked, ack: seq } } else { Base { seq, ack: acked } };
        self.remember(key, forward);
        Numbers { seq: 0, ack: 0, sack: acked }
    }

    fn find(&mut self, key: (Endpoint, Endpoint)) -> Option<Base> {
        if let Some(base) = self.young.get(&key) {
            return Some(*base);
        }
        let base = self.old.remove(&key)?;
        self.remember(key, base);
        Some(base)
    }

    fn remember(&mut self, key: (Endpoint, Endpoint), base: Base) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::address::Ipv4;

    fn endpoint(host: u8, port: u16) -> Endpoint {
        Endpoint { address: Address::V4(Ipv4([10, 0, 0, host])), port }
    }

    #[test]
    fn both_directions_share_a_base() {
        let (client, server) = (endpoint(1, 4000), endpoint(2, 80));
        let mut conversations = Conversations::default();
        let absolute = Numbers { seq: 0, ack: 0, sack: 1000 };
        assert_eq!(conversations.base(server, client, 5000, 1001, true), absolute);
        let relative = Numbers { seq: 1000, ack: 5000, sack: 5000 };
        assert_eq!(conversations.base(client, server, 1001, 5001, false), relative);
        let relative = Numbers { seq: 5000, ack: 1000, sack: 1000 };
        assert_eq!(conversations.base(server, client, 5001, 1001, false), relative);
    }

    #[test]
    fn memory_is_bounded() {
        let mut conversations = Conversations::default();
        for port in 0..=u16::MAX {
            conversations.base(endpoint(1, port), endpoint(2, 80), 0, 0, true);
            conversations.base(endpoint(3, port), endpoint(2, 80), 0, 0, true);
        }
        assert!(conversations.young.len() + conversations.old.len() <= 2 * GENERATION);
    }
}
