//! Options that tcpdump has and this tool does not: named as such, so that nobody looks for a mistake in the spelling.

use crate::printable::printable;

/// Letter and long form, what tcpdump does with it, and what to do here.
const MISSING: [(&str, &str, &str, &str); 22] = [
    ("-C", "", "begins another file when one is full", "split the file afterwards with `editcap -c`"),
    ("-d", "", "prints the compiled filter", "there are no capture filters yet"),
    ("-E", "", "decrypts ESP packets", "write a file and read it with tcpdump or Wireshark"),
    ("-f", "", "prints foreign addresses as numbers", "addresses are always numbers here"),
    ("-F", "", "reads the filter from a file", "there are no capture filters yet"),
    ("-G", "", "begins another file after some time", "split the file afterwards with `editcap -i`"),
    ("-I", "--monitor-mode", "sets a wireless card's monitor mode", "use `iw dev IF set type monitor`"),
    (
        "-j",
        "--time-stamp-type",
        "chooses the clock of the time stamps",
        "they are the kernel's, taken by the XDP program",
    ),
    (
        "-J",
        "--list-time-stamp-types",
        "lists the clocks of time stamps",
        "they are the kernel's, taken by the XDP program",
    ),
    ("-K", "--dont-verify-checksums", "leaves checksums alone", "they are looked at with -v only"),
    ("-m", "", "loads an SMI MIB module", "write a file and read it with tcpdump"),
    ("-M", "", "checks TCP-MD5 digests", "write a file and read it with tcpdump"),
    ("-O", "--no-optimize", "compiles the filter without optimising it", "there are no capture filters yet"),
    ("-Q", "--direction", "chooses received or sent packets", "XDP sees those received"),
    ("-T", "", "takes packets for those of a protocol", "write a file and use Wireshark's \"Decode As\""),
    ("-u", "", "prints undecoded NFS handles", "write a file and read it with tcpdump"),
    ("-V", "", "reads a list of files", "read them one by one with -r"),
    ("-W", "", "limits the number of files", "split the file afterwards with `editcap`"),
    ("-y", "--linktype", "chooses the link type", "an interface has one, -L tells it"),
    ("-z", "", "runs a command on a finished file", "run it after the capture"),
    (
        "-Z",
        "--relinquish-privileges",
        "changes to another user",
        "give the program file capabilities instead of root",
    ),
    ("", "--skip", "skips the first packets", "use `editcap FILE OUT 1-N`"),
];

/// A sentence for an option that tcpdump has and this tool has not, as it stands on the command line.
pub fn missing(option: &str) -> Option<String> {
    let option = option.split('=').next().unwrap_or_default();
    let is_it = |name: &str| !name.is_empty() && name == option;
    let (_, _, purpose, instead) = MISSING.iter().find(|(letter, long, ..)| is_it(letter) || is_it(long))?;
    Some(format!("tcpdump's {option}, which {purpose}, is not supported yet: {instead}"))
}

/// A sentence for the words of a capture filter.
pub fn filter(words: &[String]) -> String {
    format!(
        "capture filters are not supported yet: leave \"{}\" out, and filter what was captured with Wireshark, or with \
         `tcpdump -r FILE FILTER`",
        printable(words.join(" "))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_long_forms_are_known() {
        for option in ["-C", "-Z", "--skip", "--direction", "--linktype=EN10MB"] {
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
