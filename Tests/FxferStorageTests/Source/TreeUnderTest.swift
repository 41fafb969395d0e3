import FxferProtocol

@testable import FxferStorage

/// What a walk told of, for comparison.
struct Walked: Hashable {
    enum Kind: Hashable {
        case loaded, file, folder
        case skipped(String)
        case failed(FxferError.Code)
    }

    let kind: Kind
    /// Where it is stored; for what is not, where it lies below the temporary folder.
    let path: String

    init(_ kind: Kind, _ path: String) {
        self.kind = kind
        self.path = path
    }
}

extension TemporaryFolder {
    /// All entries of a walk through the folder `name`, stored as `destination`.
    func entries(
        of name: String,
        as destination: String?,
        options: SourceTree.Options = .init()
    ) async throws -> [SourceEntry] {
        let destination = try destination.map(FxferStorageTests.path)
        let root = SourceTree.Root(path: Array(self(name).utf8), destination: destination)
        return try await SourceTree(roots: [root], options: options).all()
    }

    /// What a walk through the folder `name` tells of, in order.
    func walk(
        _ name: String,
        as destination: String? = "r",
        options: SourceTree.Options = .init()
    ) async throws -> [Walked] {
        try await self.entries(of: name, as: destination, options: options).map { entry in
            let source = String(decoding: entry.source.dropFirst(self.path.utf8.count + 1), as: UTF8.self)
            return switch entry.content {
            case .loaded(_, let path): Walked(.loaded, path.description)
            case .file(_, let path): Walked(.file, path.description)
            case .folder(_, let path): Walked(.folder, path.description)
            case .skipped(let reason): Walked(.skipped(reason), source)
            case .failed(let error): Walked(.failed(error.code), source)
            }
        }
    }
}

extension SourceTree {
    func all() async throws -> [SourceEntry] {
        var entries: [SourceEntry] = []
        while true {
            let batch = try await self.next()
            guard !batch.isEmpty else { return entries }
            entries += batch
        }
    }
}
