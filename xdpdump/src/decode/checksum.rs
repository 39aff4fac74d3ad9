//! The Internet checksum (RFC 1071).

use etherparse::checksum::Sum16BitWords;

use crate::decode::address::Address;

/// Adds up 16-bit words in network byte order; an odd last byte counts as the high byte of a word.
#[derive(Default)]
pub(in crate::decode) struct Checksum(Sum16BitWords);

impl Checksum {
    /// Adds bytes; only the last call may have an odd number of them.
    pub(in crate::decode) fn add(self, bytes: &[u8]) -> Self {
        Self(self.0.add_slice(bytes))
    }

    /// Adds the pseudo header of TCP, UDP and ICMPv6 (RFC 9293 §3.1, RFC 8200 §8.1).
    pub(in crate::decode) fn pseudo(self, src: Address, dst: Address, proto: u8, len: usize) -> Self {
        let with_addresses = match (src, dst) {
            (Address::V4(src), Address::V4(dst)) => self.add(&src.0).add(&dst.0),
            (Address::V6(src), Address::V6(dst)) => self.add(&src.0).add(&dst.0),
            _ => self,
        };
        with_addresses.add(&(len as u32).to_be_bytes()).add(&[0, proto])
    }

    /// The complement of the folded sum: 0 for a complete message with a correct checksum.
    pub(in crate::decode) fn finish(self) -> u16 {
        // etherparse adds in the byte order of this machine; by RFC 1071 §2 (B) the result is the same sum with its bytes
        // swapped.
        self.0.ones_complement().to_be()
    }
}

/// The correct value of a checksum field, computed from its present value and the sum over the message that includes it.
pub(in crate::decode) fn expected(field: u16, sum: u16) -> u16 {
    let mut fixed = u32::from(field) + u32::from(sum);
    fixed = (fixed & 0xffff) + (fixed >> 16);
    (fixed & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc1071_example() {
        let sum = Checksum::default().add(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        assert_eq!(!sum.finish(), 0xddf2);
    }

    /// RFC 1071 §4.1, word by word.
    fn reference(message: &[u8]) -> u16 {
        let mut sum = message.chunks(2).fold(0_u64, |sum, pair| {
            sum + u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
        });
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    proptest::proptest! {
        #[test]
        fn sums_of_all_lengths_are_those_of_the_rfc(
            head in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            tail in proptest::collection::vec(proptest::num::u8::ANY, 0..90),
        ) {
            let head = &head[..head.len() & !1];
            let sum = Checksum::default().add(head).add(&tail).finish();
            proptest::prop_assert_eq!(sum, reference(&[head, &tail].concat()));
        }
    }

    /// Zero and all ones both mean zero in one's complement; optimised implementations differ there.
    #[test]
    fn zeros_and_ones() {
        for len in 0..40 {
            for byte in [0, 0xff] {
                let message = vec![byte; len];
                assert_eq!(
                    Checksum::default().add(&message).finish(),
                    reference(&message),
                    "{len} of {byte}"
                );
            }
        }
    }

    #[test]
    fn expected_makes_the_sum_zero() {
        let mut message = [0x45, 0, 0, 0x54, 0x12, 0x34, 0xab, 0xcd];
        let sum = Checksum::default().add(&message).finish();
        let field = expected(0xabcd, sum).to_be_bytes();
        message[6..].copy_from_slice(&field);
        assert_eq!(Checksum::default().add(&message).finish(), 0);
    }
}
