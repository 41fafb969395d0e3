import Fxfer
import FxferProtocol

/// Which file or folder gets which name.
enum UploadPlan {
    /// One upload a source, named after its last component, or `name` where one is given. Standard input (`-`) needs a
    /// name; of `.` and `..`, which are no names, the contents go into the folder itself.
    ///
    /// - Throws: `usage` where a name is missing or breaks a rule, or two sources would get the same one.
    static func uploads(
        of sources: [Upload.Source],
        into folder: RelativePath?,
        as name: [UInt8]? = nil,
        expecting expected: ExpectedContent? = nil
    ) throws(FxferError) -> [Upload] {
        var uploads: [Upload] = []
        var takers: [RelativePath: String] = [:]
        for source in sources {
            let destination = try Self.destination(of: source, into: folder, as: name)
            if let destination, let other = takers.updateValue(source.text, forKey: destination) {
                throw FxferError(
                    .usage,
                    "'\(other)' and '\(source.text)' would both be stored as '\(destination)'"
                )
            }
            uploads.append(Upload(source, to: destination, expected: expected))
        }
        return uploads
    }

    private static func destination(
        of source: Upload.Source,
        into folder: RelativePath?,
        as name: [UInt8]?
    ) throws(FxferError) -> RelativePath? {
        let prefix = folder.map { $0.bytes + [UInt8(ascii: "/")] } ?? []
        if let name { return try RelativePath(argument: prefix + name) }
        switch source {
        case .standardInput:
            throw FxferError(.usage, "standard input has no name: give it one with --as NAME")
        case .path(let path):
            guard !path.isEmpty else { throw FxferError(.usage, "the name of a file to send is empty") }
            let last = Array(path.split(separator: UInt8(ascii: "/")).last ?? [UInt8(ascii: ".")][...])
            guard !last.allSatisfy({ $0 == UInt8(ascii: ".") }) || last.count > 2 else { return folder }
            return try RelativePath(argument: prefix + last)
        }
    }
}

extension Upload.Source {
    /// Reads an argument of `send`: a path, or `-`.
    init(_ argument: RawArgument) {
        self = argument.bytes == [UInt8(ascii: "-")] ? .standardInput : .path(argument.bytes)
    }

    /// The source for a person's eyes.
    var text: String {
        switch self {
        case .path(let path): EscapedText.escape(path)
        case .standardInput: "-"
        }
    }
}
