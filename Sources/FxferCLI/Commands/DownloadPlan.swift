import Fxfer
import FxferProtocol

/// What is got from which server, and which name it gets here.
struct DownloadPlan {
    let endpoint: Endpoint
    let target: DownloadTarget
    let downloads: [Download]

    /// - Parameter output: `-`, a folder that exists, or the name of the one file or folder; nil for the current folder.
    /// - Throws: `usage` where the sources are of several servers, one has no name, two would get the same name, or the
    ///   output cannot be what it is to be.
    init(_ sources: [RemotePath], output: [UInt8]?) async throws {
        guard let first = sources.first else { throw FxferError(.usage, "nothing to get is named") }
        var paths: [RelativePath] = []
        for source in sources {
            guard source.endpoint == first.endpoint else {
                throw FxferError(
                    .usage,
                    "'\(first.endpoint)' and '\(source.endpoint)' are two servers; get from one at a time"
                )
            }
            guard let path = source.path else {
                throw FxferError(.usage, "'\(source.endpoint)' names no file; write \(source.endpoint)/NAME")
            }
            paths.append(path)
        }
        self.endpoint = first.endpoint
        let output = output ?? [UInt8(ascii: ".")]
        if output == [UInt8(ascii: "-")] {
            self.target = .standardOutput
            self.downloads = paths.map { Download($0, to: $0) }
        } else if case .success(let there) = try await LocalFile.look(at: [output])[0], there.isFolder {
            self.target = .folder(output)
            self.downloads = try Self.named(paths)
        } else {
            guard output.last != UInt8(ascii: "/") else {
                throw FxferError(.cannotCreate, "'\(EscapedText.escape(output))' does not exist: make the folder first")
            }
            guard paths.count == 1 else {
                let text = EscapedText.escape(output)
                throw FxferError(.usage, "'\(text)' is no folder, and \(paths.count) names are to be got")
            }
            let (folder, name) = try Self.split(output)
            guard case .success(let there) = try await LocalFile.look(at: [folder])[0], there.isFolder else {
                throw FxferError(.cannotCreate, "cannot write '\(EscapedText.escape(output))': there is no such folder")
            }
            self.target = .folder(folder)
            self.downloads = [Download(paths[0], to: name)]
        }
    }

    private static func named(_ paths: [RelativePath]) throws(FxferError) -> [Download] {
        var takers: [RelativePath: RelativePath] = [:]
        var downloads: [Download] = []
        for path in paths {
            let name = try RelativePath(argument: Array(path.lastComponent))
            if let other = takers.updateValue(path, forKey: name) {
                throw FxferError(.usage, "'\(other)' and '\(path)' would both be written as '\(name)'")
            }
            downloads.append(Download(path, to: name))
        }
        return downloads
    }

    /// The folder and the name in it.
    private static func split(_ output: [UInt8]) throws(FxferError) -> ([UInt8], RelativePath) {
        let slash = output.lastIndex(of: UInt8(ascii: "/"))
        let name = try RelativePath(argument: Array(output[((slash ?? -1) + 1)...]), "the output")
        guard let slash else { return ([UInt8(ascii: ".")], name) }
        return (Array(output[...slash]), name)
    }
}

extension DownloadTarget {
    var isStandardOutput: Bool {
        if case .standardOutput = self { true } else { false }
    }
}
