//! Options that tcpdump has and this tool does not: named as such, so that nobody looks for a mistake in the spelling.

/// Letter and long form, what tcpdump does with it, and what to do here.
const MISSING: [(&str, &str, &str, &str); 13] = [
    ("-b", "", "prints BGP's AS numbers in ASDOT notation", "write a file and read it with tcpdump"),
    ("-E", "", "decrypts ESP packets", "write a file and read it with tcpdump or Wireshark"),
    ("-I", "--monitor-mode", "sets a wireless card's monitor mode", "use `iw dev IF set type monitor`"),
    ("-m", "", "loads an SMI MIB module", "write a file and read it with tcpdump"),
    ("-M", "", "checks TCP-MD5 digests", "write a file and read it with tcpdump"),
    ("-R", "", "printed ESP and AH as before RFC 2406", "tcpdump itself has it no more, leave it out"),
    ("-T", "", "takes packets for those of a protocol", "write a file and use Wireshark's \"Decode As\""),
    ("-u", "", "prints undecoded NFS handles", "write a file and read it with tcpdump"),
    ("-V", "", "reads a list of files", "read them one by one with -r, or join them with `mergecap`"),
    ("", "--lengths", "prints the lengths of each frame", "-e prints the length on the wire"),
    ("", "--list-remote-interfaces", "lists the interfaces of another machine", "run xdpdump -D there"),
    ("", "--print-sampling", "prints every Nth packet", "--sample N takes one in N"),
    ("", "--skip", "skips the first packets", "use `editcap FILE OUT 1-N`"),
];

/// A sentence for an option that tcpdump has and this tool has not, as it stands on the command line.
pub fn missing(option: &str) -> Option<String> {
    let option = option.split('=').next().unwrap_or_default();
    let is_it = |name: &str| !name.is_empty() && name == option;
    let (_, _, purpose, instead) = MISSING.iter().find(|(letter, long, ..)| is_it(letter) || is_it(long))?;
    Some(format!("tcpdump's {option}, which {purpose}, is not supported yet: {instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_long_forms_are_known() {
        for option in ["-E", "-m", "--skip", "--monitor-mode", "--print-sampling=2"] {
            let sentence = missing(option).unwrap();
            assert!(
                sentence.starts_with("tcpdump's ") && sentence.contains("not supported yet"),
                "{sentence}"
            );
        }
        assert_eq!(missing("--nonsense"), None);
        assert_eq!(missing(""), None);
    }
}
