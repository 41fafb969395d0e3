import FxferProtocol
import FxferStorage

extension StoredFiles {
    /// Makes files that have decayed whole with what another server has of them: only what is damaged is replaced, in a
    /// copy that takes the name in one step. A file is left as it is where the other one is not what was stored here.
    ///
    /// - Parameters:
    ///   - paths: files that ``verify(_:limiter:event:)`` has told of, as changed and not rewritten.
    ///   - client: of the server that shares them.
    ///   - folder: where they are there; nil where they have the same paths.
    ///   - event: called one at a time: `repaired` or `notRepaired`, once for each file.
    /// - Throws: `cannotConnect` where there never was a connection; `cannotCreate`, `noSpace` or `io` where the directory
    ///   cannot be used. There was no event then.
    public func repair(
        _ paths: [RelativePath],
        from client: FileClient,
        folder: RelativePath? = nil,
        limiter: RateLimiter? = nil,
        event: @escaping @Sendable (VerificationEvent) -> Void
    ) async throws(FxferError) {
        var downloads: [Download] = []
        for path in paths {
            guard let folder else {
                downloads.append(Download(path, to: path))
                continue
            }
            do throws(PathRule) {
                let source = try RelativePath(bytes: folder.bytes + [UInt8(ascii: "/")] + path.bytes)
                downloads.append(Download(source, to: path))
            } catch {
                event(.notRepaired(path, "its path in '\(folder)' \(error.explanation)"))
            }
        }
        guard !downloads.isEmpty else { return }
        var options = DownloadOptions()
        options.limiter = limiter
        try await client.get(downloads, into: .repairs(self.path), options) { transfer in
            if let told = VerificationEvent(repairing: transfer) { event(told) }
        }
    }
}

extension VerificationEvent {
    /// Nil for what is nothing of a file's end.
    fileprivate init?(repairing event: TransferEvent) {
        switch event {
        case .ended(let file, let result):
            guard let path = file.destinationPath else { return nil }
            switch result {
            // Somebody else may have repaired it meanwhile.
            case .success(let receipt): self = .repaired(path, chunks: receipt.repairedChunks ?? 0)
            case .failure(let error): self = .notRepaired(path, error.reasonForNoRepair)
            }
        case .abandoned(let file, let error):
            guard let path = file.destinationPath else { return nil }
            self = .notRepaired(path, error.message)
        default:
            return nil
        }
    }
}

extension TransferFile {
    fileprivate var destinationPath: RelativePath? {
        self.destination.flatMap { try? RelativePath(bytes: $0) }
    }
}

extension FxferError {
    fileprivate var reasonForNoRepair: String {
        switch self.code {
        case .exists: "the other server's file is not what was stored here"
        case .noInput, .isFolder: "the other server has no such file"
        default: self.message
        }
    }
}
