import Glibc

/// The program: its arguments are taken as bytes, and one signal set up, before any command runs.
@main
enum Main {
    static func main() async {
        // Writing to a closed pipe or over a size limit is an error to report, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        await FxferCommand.main(RawArgument.arguments().map(\.text))
    }
}
