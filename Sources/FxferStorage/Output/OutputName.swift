import FxferProtocol
import Glibc

/// The path that a user chose for a file to be written.
struct OutputName: Sendable {
    /// The path for a person's eyes.
    let text: String
    let folder: CPath
    let last: CPath
    /// What the new file gets: those of the old file, else 0o666 less the umask.
    let permissions: mode_t

    /// - Throws: `.cannotCreate` where the path cannot be that of a file, or something else than a regular file has it.
    init(_ path: [UInt8]) throws(FxferError) {
        self.text = EscapedText.escape(path)
        let slash = path.lastIndex(of: UInt8(ascii: "/"))
        let last = path[((slash ?? -1) + 1)...]
        guard !last.isEmpty, !path.contains(0) else {
            throw FxferError(.cannotCreate, "cannot write '\(self.text)': this is no name of a file")
        }
        self.folder = slash.map { CPath($0 == 0 ? path[...0] : path[..<$0]) } ?? .itself
        self.last = CPath(last)
        let old = try Self.writing(self.text) { [folder = self.folder, last = self.last] () throws(Errno) in
            try OwnedDescriptor.open(folder, O_RDONLY | O_DIRECTORY).status(of: last)
        }
        self.permissions = old.map { mode_t($0.permissions) } ?? 0o666 & ~mode_t(FileCreationMask.current())
        guard let kind = old?.kind, kind != .regular else { return }
        throw FxferError(
            .cannotCreate,
            "cannot write '\(self.text)': it is \(kind.rawValue), and only regular files are replaced"
        )
    }

    /// Makes file calls and tells a failed one as a failure to write this file.
    func doing<Result: ~Copyable>(_ call: () throws(Errno) -> Result) throws(FxferError) -> Result {
        try Self.writing(self.text, call)
    }

    private static func writing<Result: ~Copyable>(
        _ text: String,
        _ call: () throws(Errno) -> Result
    ) throws(FxferError) -> Result {
        do {
            return try call()
        } catch {
            let code = error.number == ENOENT ? .cannotCreate : error.receiverCode
            throw FxferError(code, "cannot write '\(text)': \(error)", cause: error)
        }
    }

    /// Of a call on a file that was published or given up: a fault of the caller.
    var isGone: FxferError {
        FxferError(.internal, "'\(self.text)' was published or given up already")
    }
}
