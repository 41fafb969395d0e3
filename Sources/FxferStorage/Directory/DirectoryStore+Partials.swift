import FxferProtocol
import Glibc

extension DirectoryStore {
    /// What names of staged files begin with where these are beside others.
    static let prefixBeside = Array(".fxfer-".utf8)

    /// Makes sure that `path` cannot be that of a staged file.
    ///
    /// - Throws: `.nameRefused`.
    func checkReserved(_ path: RelativePath) throws(FxferError) {
        guard self.isReserved(path) else { return }
        throw FxferError(
            .nameRefused,
            "cannot create '\(path)': names that begin with '.fxfer-' are the receiver's own"
        )
    }

    /// Whether `path` could be that of a staged file.
    func isReserved(_ path: RelativePath) -> Bool {
        !self.partials.prefix.isEmpty && path.bytes.starts(with: self.partials.prefix)
    }

    /// Whether what is left of a file of `size` bytes is kept for a later try.
    func isResumable(_ size: UInt64, _ comparison: Comparison) -> Bool {
        size > PartialFile.smallestKept && comparison != .afterwards && self.partials.rules.keepFor > .zero
    }

    /// Removes partials that are not in use and are older than the options say, then the oldest as long as all of them
    /// together are too large; answers how many.
    ///
    /// - Throws: what the disk says; `CancellationError`.
    package func expirePartials() async throws -> Int {
        try await self.pool.run {
            do throws(Errno) {
                return try self.partials.expire()
            } catch {
                throw FxferError(error.receiverCode, "cannot look through the partial files: \(error)", cause: error)
            }
        }
    }

    /// What is left of unfinished files in the directory at `path`, sorted by the bytes of their paths. Changes nothing
    /// there, and makes nothing.
    ///
    /// - Throws: `.noInput` where there is no such directory, or it cannot be read; `CancellationError`.
    package static func partials(in path: [UInt8], pool: DiskPool = .shared) async throws -> [PartialSummary] {
        try await pool.run {
            let text = EscapedText.escape(path)
            do throws(Errno) {
                guard !path.isEmpty, !path.contains(0) else { throw Errno(ENOENT) }
                let root = try OwnedDescriptor.open(CPath(path), O_RDONLY | O_DIRECTORY)
                guard let partials = try Self.openPartials(in: root) else { return [] }
                return try partials.summaries().sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
            } catch {
                let reason = error.number == ENOENT ? "'\(text)' does not exist" : "cannot read '\(text)': \(error)"
                throw FxferError(.noInput, reason, cause: error)
            }
        }
    }

    private static func openPartials(in root: borrowing OwnedDescriptor) throws(Errno) -> PartialsFolder? {
        do {
            return PartialsFolder(try root.openBeneath(CPath(".fxfer/partials"), O_RDONLY | O_DIRECTORY))
        } catch {
            guard error.number == ENOENT else { throw error }
            return nil
        }
    }

    /// Begins with the partial of `target`, or makes one; nil where something else has its name.
    ///
    /// - Throws: `.busy` where another connection or server has it.
    func beginResumable(
        _ target: PublishingTarget,
        _ size: UInt64
    ) throws -> PartialResumption? {
        let name = self.partials.name(for: target.path)
        if let holder = self.partials.holders.holder(of: name),
            !holder.handOver(afterSilence: self.partials.rules.takeOverAfter)
        {
            throw Self.isInUse(target.path)
        }
        switch try self.partials.claim(name) {
        case .inUse: throw Self.isInUse(target.path)
        case .unusable: return nil
        case .held(var partial):
            let header = PartialHeader(path: target.path, created: .now(), size: size, modified: target.modified)
            guard try partial.openJournal(header) else { return nil }
            let verifier = try PartialVerifier(partial, upTo: size)
            return PartialResumption(verifier, target.path) { content in
                let file = self.staged(StagedBytes(content), target)
                self.partials.holders.add(file, name)
                return file
            }
        }
    }

    private static func isInUse(_ path: RelativePath) -> FxferError {
        FxferError(.busy, "'\(path)' is being received over another connection; try again later")
    }
}
