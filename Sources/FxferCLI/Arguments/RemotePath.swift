import Fxfer
import FxferProtocol

/// An argument of `get` or `list`: `HOST[:PORT][/NAME]`.
struct RemotePath {
    let endpoint: Endpoint
    /// A file or folder of the server; nil for its top.
    let path: RelativePath?

    init(_ argument: RawArgument) throws(FxferError) {
        let destination = try Destination(argument, example: "host:3000/file.txt")
        self.endpoint = destination.endpoint
        self.path = destination.folder
    }
}
