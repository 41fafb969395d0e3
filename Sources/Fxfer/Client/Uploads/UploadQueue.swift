import FxferProtocol
import FxferStorage

/// What is still to be sent: what a broken connection left, then the rest of the walk.
actor UploadQueue {
    /// What comes next.
    enum Step: Sendable {
        case upload(PendingUpload)
        case skipped(TransferFile, reason: String)
        case failed(TransferFile, FxferError)
    }

    /// The uploads that are not begun, the next one last.
    private var waiting: [Upload]
    private let options: SourceTree.Options
    /// The walk through the one that is begun.
    private var tree: (walk: SourceTree, roots: [Upload])?
    private var left: [PendingUpload] = []
    /// Steps that were handed out and not begun.
    private var notBegun: [Step] = []

    /// - Throws: `usage` for a pattern that makes no sense.
    init(_ uploads: [Upload], _ options: UploadOptions) throws(FxferError) {
        self.waiting = uploads.reversed()
        var excludes: [ExcludePattern] = []
        for pattern in options.excludes {
            excludes.append(try ExcludePattern(pattern))
        }
        self.options = SourceTree.Options(followsLinks: options.followsLinks, excludes: excludes)
    }

    /// Whether everything was handed out and nothing came back.
    var isEmpty: Bool {
        self.left.isEmpty && self.notBegun.isEmpty && self.waiting.isEmpty && self.tree == nil
    }

    /// The next steps; none at the end, or in a cancelled task.
    func next() async -> [Step] {
        if !self.left.isEmpty {
            let left = self.left
            self.left = []
            return await Self.reopen(left)
        }
        if !self.notBegun.isEmpty {
            let notBegun = self.notBegun
            self.notBegun = []
            return notBegun
        }
        while true {
            if let (walk, roots) = self.tree {
                guard let entries = try? await walk.next() else { return [] }
                guard entries.isEmpty else { return entries.map { Self.step($0, roots) } }
                self.tree = nil
            }
            guard let upload = self.waiting.popLast() else { return [] }
            switch upload.source {
            case .standardInput:
                guard let destination = upload.destination else { continue }
                let stream = SourceStream.standardInput()
                let pending = PendingUpload(.source(stream), from: [], to: destination, expected: upload.expected)
                return [.upload(pending)]
            case .path:
                self.begin(upload)
            }
        }
    }

    /// Uploads that a broken connection left.
    func putBack(_ uploads: [PendingUpload]) {
        self.left += uploads
    }

    /// Steps that could not be begun.
    func putBack(_ steps: [Step]) {
        self.notBegun = steps + self.notBegun
    }

    /// What will not be sent as all is given up: what is left, and every upload that has not come to its end.
    func abandon() -> [TransferFile] {
        let notBegun = self.notBegun.compactMap { step in
            if case .upload(let upload) = step { upload } else { nil }
        }
        let left = (self.left + notBegun).map(\.file)
        let begun = self.tree?.roots ?? []
        let names = Set(left.map(\.source))
        let unfinished = (begun + self.waiting.reversed()).filter { upload in
            if case .path(let path) = upload.source { !names.contains(path) } else { true }
        }
        self.left = []
        self.notBegun = []
        self.waiting = []
        self.tree = nil
        return left + unfinished.map(\.file)
    }

    /// Begins the walk through an upload, and those behind it that are paths, too: small files share batches.
    private func begin(_ first: Upload) {
        var roots = [first]
        while let next = self.waiting.last, case .path = next.source, next.expected == nil, first.expected == nil {
            roots.append(next)
            self.waiting.removeLast()
        }
        let walk = SourceTree(
            roots: roots.map { SourceTree.Root(path: $0.file.source, destination: $0.destination) },
            options: self.options
        )
        self.tree = (walk, roots)
    }

    private static func step(_ entry: SourceEntry, _ roots: [Upload]) -> Step {
        let expected = roots.count == 1 ? roots[0].expected : nil
        switch entry.content {
        case .loaded(let file, let destination):
            return .upload(PendingUpload(.loaded(file), from: entry.source, to: destination, expected: expected))
        case .file(let file, let destination):
            return .upload(PendingUpload(.source(file), from: entry.source, to: destination, expected: expected))
        case .folder(let attributes, let destination):
            return .upload(PendingUpload(.folder(attributes), from: entry.source, to: destination))
        case .skipped(let reason):
            return .skipped(TransferFile(source: entry.source, destination: nil), reason: reason)
        case .failed(let error):
            return .failed(TransferFile(source: entry.source, destination: nil), error)
        }
    }

    /// A file that was open on a broken connection is looked at anew: it may have been changed since, and is compared
    /// from its start in any case.
    private static func reopen(_ left: [PendingUpload]) async -> [Step] {
        var steps: [Step] = []
        for upload in left {
            var again = upload
            do {
                switch upload.content {
                case .source(let file as SourceFile):
                    let source = try await file.reopened()
                    again = PendingUpload(
                        .source(source),
                        from: upload.file.source,
                        to: upload.destination,
                        expected: upload.expected
                    )
                case .source(let source):
                    do {
                        try source.restart()
                    } catch {
                        throw FxferError(
                            .connectionLost,
                            "the connection broke, and standard input cannot be read again: give the command again"
                        )
                    }
                case .loaded, .folder:
                    break
                }
                again.isRetry = true
                steps.append(.upload(again))
            } catch {
                steps.append(.failed(upload.file, FxferError(wrapping: error)))
            }
        }
        return steps
    }
}

extension Upload {
    fileprivate var file: TransferFile {
        switch self.source {
        case .path(let path): TransferFile(source: path, destination: self.destination?.bytes)
        case .standardInput: TransferFile(source: [], destination: self.destination?.bytes)
        }
    }
}
