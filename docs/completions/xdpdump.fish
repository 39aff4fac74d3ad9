# A command of xdpdump is one only as the first word.
function __fish_xdpdump_first_word
    test (count (commandline -opc)) -eq 1
end

function __fish_xdpdump_needs_command
    set -l words (commandline -opc)
    not contains -- "$words[2]" repair doctor dump extcap
end

function __fish_xdpdump_using_subcommand
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c xdpdump -n "__fish_xdpdump_needs_command" -s i -l interface -d 'Interface to capture on; several, or "any"' -r -f
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l netns -d 'Network namespace to look for interfaces in' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s r -l read -d 'Read packets from a file instead of an interface' -r -F
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l reorder-window -d 'How long packets wait for those of other pipes' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l at -d 'Point beside another program' -r -f -a "entry\t'Before the program'
exit\t'After the program'
both\t'Both'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l program -d 'Program to capture at, if several run' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s s -l snapshot-length -d 'Bytes to capture of each frame' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s F -l filter-file -d 'Read the filter from a file' -r -F
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l headers -d 'Capture only headers and N more bytes' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l sample -d 'Capture one of every N frames' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s c -l packets -d 'Stop after N packets' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l duration -d 'Stop after TIME' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l max-bytes -d 'Stop when SIZE is written' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l stats -d 'Say how it goes every TIME' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l stats-file -d 'Write metrics to a file' -r -F
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s B -l buffer-size -d 'Memory for the rings of all CPUs, in KiB' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l transport -d 'Rings that bring frames to user space' -r -f -a "auto\t'Mapped rings where the kernel has them, perf rings elsewhere'
perf\t'Perf rings'
ring\t'Mapped rings'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s w -l write -d 'Write the packets to a file' -r -F
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l format -d 'File format' -r -f -a "pcapng\t'With interfaces, comments, losses, verdicts and statistics'
pcap\t'Classic, with times in nanoseconds unless --micro, or as in the pcap file that is read'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l compress -d 'Compress the file with zstd' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l time-stamp-precision -d 'Precision of time stamps' -r -f -a "micro\t'Microseconds'
nano\t'Nanoseconds'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s C -l file-size -d 'Begin another file when one has SIZE' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s G -l file-time -d 'Begin another file every TIME' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s W -l files -d 'Write N files' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s z -l postrotate-command -d 'Run CMD on each finished file' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l max-total -d 'Delete the oldest files when all have SIZE' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l min-free -d 'Delete the oldest files when less than SIZE is free' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l keep -d 'Keep the newest packets in memory' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l after -d 'Write the packets of so much time after the request, too' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l trigger -d 'Write what is kept when a packet comes that EXPR accepts' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l time-style -d 'Time stamps by name' -r -f -a "day\t'Hour, minute, second'
none\t'No time'
epoch\t'Seconds since 1970'
delta\t'Since the previous packet'
date\t'With the date'
since-first\t'Since the first packet'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l text-style -d 'Format of the text' -r -f -a "tcpdump\t'tcpdump\'s line'
classic\t'The line of the original XDP demo'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l color -d 'When addresses and resets have colours' -r -f -a "auto\t'On a terminal'
always\t'Always'
never\t'Never'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s Q -l direction -d 'Direction of the frames' -r -f -a "in\t'Received frames'
out\t'Sent frames'
inout\t'Both'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s y -l linktype -d 'Capture only if the link type is this' -r
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s j -l time-stamp-type -d 'Clock for stamps' -r -f -a "host\t'The host\'s'
adapter\t'The adapter\'s, converted to the host\'s'
adapter_unsynced\t'The adapter\'s, as it is'"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s Z -l relinquish-privileges -d 'User to run as once programs are attached' -r -f -a "(__fish_complete_users)"
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s D -l list-interfaces -d 'List interfaces, their drivers and XDP programs, and exit'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s L -l list-data-link-types -d 'List the link types of the interface and exit'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s J -l list-time-stamp-types -d 'List whose clock can stamp frames, for -j, and exit'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s N -l native -d 'Capture in the driver (native XDP) or fail'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s S -l skb -d 'Capture in the generic path (SKB mode)'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s H -l offload -d 'Capture on the NIC (hardware offload) or fail'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s d -l dump-filter -d 'Print the compiled filter and exit'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l stats-json -d 'Say it as JSON'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s p -l no-promiscuous-mode -d 'Do not put the interface into promiscuous mode'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l immediate-mode -d 'Show every frame at once instead of in batches'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l lean -d 'Leave out packet id, direction and queue'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l full -d 'Write direction and queue of every packet'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l group-readable -d 'Let the group read a new file'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l align -d 'Begin files at full minutes, hours or days'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l rotate-on-hangup -d 'Begin another file when SIGHUP comes'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l dump-on-loss -d 'Write what is kept when packets were lost'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l print -d 'Print text in addition to writing a file'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l json -d 'Print each packet as a line of JSON'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l count -d 'Print only the number of packets at the end'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s U -l packet-buffered -d 'Write each packet as soon as it is read'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s l -l line-buffered -d 'Print each line as soon as it is complete'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s e -l link-level-header -d 'Print the link-level header'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s q -l quiet -d 'Print less about each packet'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s '#' -l number -d 'Print a number in front of each packet'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s t -d 'Time stamps: -t none, -tt to -ttttt other styles'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l nano -d 'Print time stamps in nanoseconds'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l micro -d 'Time stamps in microseconds, also in a file'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s x -l hex -d 'Print each frame in hex'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s X -l hex-and-ascii -d 'Print each frame in hex and ASCII'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s A -l ascii -d 'Print each frame in ASCII'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l absolute-tcp-sequence-numbers -d 'Print absolute TCP sequence numbers'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s K -l dont-verify-checksums -d 'Do not verify checksums with -v'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s v -l verbose -d 'Print more, up to -vvv'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s n -l numeric -l no-resolve -d 'Print numbers instead of names; always on'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s f -d 'Numbers for addresses of other networks; always on'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s a -d 'No effect, as in tcpdump'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s O -l no-optimize -d 'Do not optimise the filter; no effect'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l rx-hash -d 'Record the adapter\'s hash of each frame'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -l version -d 'Print the version and exit'
complete -c xdpdump -n "__fish_xdpdump_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c xdpdump -n "__fish_xdpdump_first_word" -a "repair" -d 'Cut an unfinished packet off the end of a capture file whose writer was killed'
complete -c xdpdump -n "__fish_xdpdump_first_word" -a "doctor" -d 'Say what is wrong with this machine for captures, and the command that mends it'
complete -c xdpdump -n "__fish_xdpdump_first_word" -a "dump" -d 'Make a capture with --keep write the packets that it keeps'
complete -c xdpdump -n "__fish_xdpdump_first_word" -a "extcap" -d 'Put xdpdump into Wireshark\'s own list of interfaces'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand repair" -s h -l help -d 'Print help'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand doctor" -s i -l interface -d 'Interface to look at closely, by name or number, or "any" for every one that is up; can be given several times. Without it, all that are up are looked at briefly' -r
complete -c xdpdump -n "__fish_xdpdump_using_subcommand doctor" -l netns -d 'Look for interfaces in another network namespace: its name for "ip netns", the path of its file, or the pid of a process, such as that of a container' -r
complete -c xdpdump -n "__fish_xdpdump_using_subcommand doctor" -l json -d 'Print JSON instead of lines'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand dump" -s h -l help -d 'Print help'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and not __fish_seen_subcommand_from install uninstall status" -s h -l help -d 'Print help'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and not __fish_seen_subcommand_from install uninstall status" -f -a "install" -d 'Put a link to this program where Wireshark looks, and say which capabilities it lacks'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and not __fish_seen_subcommand_from install uninstall status" -f -a "uninstall" -d 'Remove the link'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and not __fish_seen_subcommand_from install uninstall status" -f -a "status" -d 'Say where Wireshark finds this program, and whether it can capture; the status is 0 if both hold'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and __fish_seen_subcommand_from install" -l system -d 'For all users'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and __fish_seen_subcommand_from uninstall" -l system -d 'The one for all users'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and __fish_seen_subcommand_from uninstall" -s h -l help -d 'Print help'
complete -c xdpdump -n "__fish_xdpdump_using_subcommand extcap; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
