//! The messages of control pipes, between Wireshark's toolbar and an extcap program (doc/wsdg_src/wsdg_capture.adoc, Wireshark
//! 4.0): `T`, the length of the rest in 24 bits, the number of the control, a command, and a payload.

/// First byte of each message.
const BEGIN: u8 = b'T';
/// Bytes before the payload.
const HEADER_LEN: usize = 6;
/// Of these, the bytes that the length counts: control and command.
const COUNTED: usize = 2;
/// Most bytes of a payload.
const MAX_PAYLOAD: usize = 65_535;

/// What is to be done with a control, or shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Set the value of the control.
    Set = 1,
    /// Append to the log.
    Add = 2,
    /// Gray out the control.
    Disable = 5,
    /// Show a text in the status bar.
    Status = 6,
    /// Show an error in a window.
    Error = 9,
}

/// A message with at most `most` bytes; its text is cut if necessary.
pub fn message(control: u8, command: Command, text: &str, most: usize) -> Vec<u8> {
    let room = most.saturating_sub(HEADER_LEN).min(MAX_PAYLOAD);
    let mut end = text.len().min(room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let payload = text.as_bytes().get(..end).unwrap_or_default();
    let [_, high, middle, low] = ((payload.len() + COUNTED) as u32).to_be_bytes();
    let mut message = vec![BEGIN, high, middle, low, control, command as u8];
    message.extend_from_slice(payload);
    message
}

/// A control that the user gave a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The control's number.
    pub control: u8,
    /// Its value.
    pub value: Vec<u8>,
}

/// Finds the messages in what is read from a pipe.
#[derive(Debug, Default)]
pub struct Parser {
    bytes: Vec<u8>,
}

impl Parser {
    /// Takes bytes that were read, and returns the changes that are complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Change> {
        self.bytes.extend_from_slice(bytes);
        let mut changes = Vec::new();
        let mut rest = self.bytes.as_slice();
        loop {
            match rest {
                [BEGIN, high, middle, low, after @ ..] => {
                    let len = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
                    if !(COUNTED..=MAX_PAYLOAD + COUNTED).contains(&len) {
                        rest = rest.get(1..).unwrap_or_default();
                        continue;
                    }
                    let Some((body, behind)) = after.split_at_checked(len) else { break };
                    if let [control, command, value @ ..] = body
                        && *command == Command::Set as u8
                    {
                        changes.push(Change { control: *control, value: value.to_vec() });
                    }
                    rest = behind;
                }
                [BEGIN, ..] | [] => break,
                // No message of this protocol: look for the next one.
                [_, behind @ ..] => rest = behind,
            }
        }
        let taken = self.bytes.len() - rest.len();
        self.bytes.drain(..taken);
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 4096;

    fn set(control: u8, value: &str) -> Change {
        Change { control, value: value.into() }
    }

    #[test]
    fn a_message_has_wiresharks_bytes() {
        assert_eq!(message(3, Command::Set, "ab", ROOM), b"T\0\0\x04\x03\x01ab");
        assert_eq!(message(255, Command::Status, "", ROOM), b"T\0\0\x02\xff\x06");
        let long = message(0, Command::Add, &"x".repeat(100_000), 1 << 20);
        assert_eq!((long.len(), &long[..4]), (6 + MAX_PAYLOAD, &b"T\x01\0\x01"[..]));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(message(0, Command::Add, "aéé", 6 + 4), "T\0\0\x05\0\x02aé".as_bytes());
    }

    #[test]
    fn changes_are_found_however_the_bytes_come() {
        let bytes = [
            message(0, Command::Set, "tcp", ROOM),
            // Wireshark's "initialized".
            b"T\0\0\x02\0\0".to_vec(),
            b"nonsense".to_vec(),
            message(1, Command::Set, "", ROOM),
        ]
        .concat();
        let wanted = [set(0, "tcp"), set(1, "")];
        assert_eq!(Parser::default().take(&bytes), wanted);
        let mut parser = Parser::default();
        let one_by_one: Vec<_> = bytes.iter().flat_map(|byte| parser.take(&[*byte])).collect();
        assert_eq!(one_by_one, wanted);
        assert!(parser.bytes.is_empty());
    }

    #[test]
    fn lengths_that_cannot_be_are_passed_over() {
        let mut parser = Parser::default();
        assert_eq!(parser.take(b"T\0\0\0T\0\0\x01T\xff\xff\xff"), []);
        assert_eq!(parser.take(&message(0, Command::Set, "udp", ROOM)), [set(0, "udp")]);
        assert!(parser.take(&vec![BEGIN; 1 << 20]).is_empty());
        assert!(parser.bytes.len() <= HEADER_LEN + MAX_PAYLOAD, "{}", parser.bytes.len());
    }
}
