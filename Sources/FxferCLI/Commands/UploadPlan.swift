import Fxfer
import FxferProtocol

/// Which file gets which name.
enum UploadPlan {
    /// One upload a source, named after its last component, or `name` where one is given.
    ///
    /// - Throws: `usage` where a name breaks a rule, or two sources would get the same one.
    static func uploads(
        of sources: [[UInt8]],
        into folder: RelativePath?,
        as name: [UInt8]? = nil
    ) throws(FxferError) -> [Upload] {
        var uploads: [Upload] = []
        var takers: [RelativePath: [UInt8]] = [:]
        for source in sources {
            guard !source.isEmpty else {
                throw FxferError(.usage, "the name of a file to send is empty")
            }
            let prefix = folder.map { $0.bytes + [UInt8(ascii: "/")] } ?? []
            let path = try RelativePath(argument: prefix + (name ?? Self.lastComponent(of: source)))
            if let other = takers.updateValue(source, forKey: path) {
                let names = "'\(EscapedText.escape(other))' and '\(EscapedText.escape(source))'"
                throw FxferError(.usage, "\(names) would both be stored as '\(path)'")
            }
            uploads.append(Upload(source: source, destination: path))
        }
        return uploads
    }

    private static func lastComponent(of path: [UInt8]) -> [UInt8] {
        Array(path.split(separator: UInt8(ascii: "/")).last ?? path[...])
    }
}
