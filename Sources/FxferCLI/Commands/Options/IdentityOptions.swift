import ArgumentParser
import FxferProtocol

/// Where the identity of a server is.
struct IdentityOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory of the server's identity; $XDG_STATE_HOME/fxfer or ~/.local/state/fxfer if not given.",
            valueName: "dir"
        ),
        completion: .directory
    )
    var identity: String?

    /// The directory.
    ///
    /// - Throws: `.usage` where none is given and the user has no home.
    func directory() throws(FxferError) -> [UInt8] {
        if let identity { return RawArgument(text: identity).bytes }
        guard let state = UserFolders.state else {
            throw FxferError(.usage, "neither XDG_STATE_HOME nor HOME is set; name a directory with --identity")
        }
        return state
    }
}
