import Fxfer
import FxferProtocol

/// The last argument of `send`: `HOST[:PORT][/FOLDER]`.
struct Destination {
    let endpoint: Endpoint
    let folder: RelativePath?

    /// - Parameter example: what a right one looks like.
    init(_ argument: RawArgument, example: String = "host:3000") throws(FxferError) {
        let bytes = argument.bytes
        let slash = bytes.firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
        guard let endpoint = Endpoint(parsing: String(decoding: bytes[..<slash], as: UTF8.self)) else {
            throw FxferError(
                .usage,
                "'\(EscapedText.escape(bytes))' names no server; write HOST[:PORT][/PATH], as in \(example)"
            )
        }
        self.endpoint = endpoint
        var folder = bytes[slash...].dropFirst()
        if folder.count > 1, folder.last == UInt8(ascii: "/") {
            folder = folder.dropLast()
        }
        self.folder = folder.isEmpty ? nil : try RelativePath(argument: Array(folder), "the folder")
    }
}

extension RelativePath {
    /// Checks a name from the command line.
    ///
    /// - Parameter what: what it names, as the beginning of a message.
    init(argument bytes: [UInt8], _ what: String = "the name") throws(FxferError) {
        do throws(PathRule) {
            try self.init(bytes: bytes)
        } catch {
            throw FxferError(
                .usage,
                "\(what) '\(EscapedText.escape(bytes))' \(error.explanation); choose another",
                cause: error
            )
        }
    }
}

extension Endpoint {
    /// Reads `HOST[:PORT]` from the command line.
    init(argument: String, defaultPort: Int = Endpoint.defaultPort) throws(FxferError) {
        guard let endpoint = Endpoint(parsing: argument, defaultPort: defaultPort) else {
            let text = EscapedText.escape(RawArgument(text: argument).bytes)
            throw FxferError(.usage, "'\(text)' is not a server; write HOST[:PORT], as in localhost:3000")
        }
        self = endpoint
    }
}
