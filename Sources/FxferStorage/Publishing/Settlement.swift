import FxferProtocol
import Glibc

/// How a file whose name something has is published nevertheless, or refused.
struct Settlement {
    private let target: PublishingTarget
    private let origin: Origin
    private let committer: Committer
    private let folders: GroupFolders

    enum Outcome {
        /// It was published, as durably as was asked.
        case published(Publication)
        /// This file has the same content; it is to be made as durable.
        case identical(PublishedFile)
    }

    /// How often a name or a folder may come and go under us before we give up.
    private static let attempts = 16
    /// How many files are kept beside the one that has the name.
    private static let maxCopies = 999

    init(_ target: PublishingTarget, _ origin: Origin, _ committer: Committer, _ folders: GroupFolders) {
        self.target = target
        self.origin = origin
        self.committer = committer
        self.folders = folders
    }

    func settle(_ content: consuming FinishedContent) throws(FxferError) -> Outcome {
        guard self.target.conflict == .keepBoth else {
            if let outcome = try self.settle(&content, at: self.target.path) { return outcome }
            throw .taken(self.target.path, by: .regular)
        }
        var path = self.target.path
        for number in 1...Self.maxCopies {
            if let outcome = try self.settle(&content, at: path) { return outcome }
            path = try Self.copy(number, of: self.target.path)
        }
        if let outcome = try self.settle(&content, at: path) { return outcome }
        throw FxferError(.exists, "'\(self.target.path)' and \(Self.maxCopies) copies beside it exist; remove some")
    }

    /// `path.number`
    private static func copy(_ number: Int, of path: RelativePath) throws(FxferError) -> RelativePath {
        do {
            return try RelativePath(bytes: path.bytes + Array(".\(number)".utf8))
        } catch {
            throw FxferError(
                .exists,
                "'\(path)' exists, and its name is too long to keep another beside it",
                cause: error
            )
        }
    }

    /// Nil where a file with other content has the path and is to stay.
    private func settle(_ content: inout FinishedContent, at path: RelativePath) throws(FxferError) -> Outcome? {
        for _ in 0..<Self.attempts {
            switch try self.look(at: path, content.size, content.digest) {
            case .identical(let there):
                try self.committer.checkIdentical(there, self.target)
                return .identical(there)
            case .other(let there):
                guard let there else { return nil }
                let isRepair = try self.isRepair(of: there, content)
                guard isRepair || self.target.conflict == .replace else { return nil }
                if let publication = try self.replace(there, with: &content, isRepair: isRepair) {
                    return .published(publication)
                }
            case .nothing:
                guard !self.target.repairsOnly else {
                    throw FxferError(.noInput, "'\(path)' was removed while it was repaired")
                }
                try content.seal(self.target, self.committer)
                if let publication = try self.store(&content, at: path) { return .published(publication) }
            }
        }
        throw FolderTree.comesAndGoes(path)
    }

    /// Whether `there` was stored with this very content and has decayed.
    private func isRepair(of there: PublishedFile, _ content: borrowing FinishedContent) throws(FxferError) -> Bool {
        guard there.size == content.size else { return false }
        return try self.committer.digestBeforeDecay(of: there) == content.digest
    }

    private enum Found {
        case nothing
        case identical(PublishedFile)
        /// Nil where it is no regular file, or one that cannot be read.
        case other(PublishedFile?)
    }

    private func look(at path: RelativePath, _ size: UInt64, _ digest: Digest) throws(FxferError) -> Found {
        let folder = try self.folders.make(for: path)
        do {
            let there = try PublishedFile.find(path, in: folder.descriptor, self.committer.tree)
            guard let there else { return .nothing }
            do {
                guard there.size == size, try there.digest() == digest else { return .other(there) }
            } catch  where error.isDiskError {
                return .other(there)
            }
            return .identical(there)
        } catch {
            guard error.code == .exists, self.target.conflict == .keepBoth else { throw error }
            return .other(nil)
        }
    }

    /// Gives the sealed file its name, as durably as was asked. Nil where the name is taken or the folder was removed meanwhile.
    private func store(_ content: inout FinishedContent, at path: RelativePath) throws(FxferError) -> Publication? {
        let folder = try self.folders.make(for: path)
        guard try content.move(to: folder, as: path) else {
            self.folders.forget()
            return nil
        }
        do {
            return try self.recorded(.stored, content, in: folder, at: path)
        } catch {
            content.withdraw(from: folder.descriptor, CPath(path.lastComponent))
            folder.flushWithdrawal(self.target.level)
            throw error
        }
    }

    /// Takes the name from `there`, as durably as was asked. Nil where something else has the name by now, or nothing.
    private func replace(
        _ there: PublishedFile,
        with content: inout FinishedContent,
        isRepair: Bool
    ) throws(FxferError) -> Publication? {
        try content.seal(self.target, self.committer, isReplacing: true)
        let folder = try self.folders.make(for: there.path)
        let name = CPath(there.path.lastComponent)
        // Until its successor is durable, nobody confirms it and no server that starts sweeps it away.
        there.lockForReplacing()
        // What somebody has written to it since it was read is not what has decayed.
        guard !isRepair || there.isUnchanged() else { return nil }
        let replacement: Replacement?
        do {
            // Another file that somebody has put there meanwhile is not the one that has decayed.
            let file = isRepair ? there.identity : nil
            replacement = try content.file?.replace(name, of: file, in: folder.descriptor)
        } catch {
            guard [EEXIST, ENOENT].contains(error.number) else { throw .receiving("create", there.path, error) }
            self.folders.forget()
            return nil
        }
        if isRepair, let replacement, replacement == .exchanged, !there.isUnchanged(exceptName: true) {
            content.withdraw(replacement, from: folder.descriptor, name)
            return nil
        }
        do {
            return try self.recorded(isRepair ? .repaired : .replaced, content, in: folder, at: there.path)
        } catch {
            if let replacement { content.withdraw(replacement, from: folder.descriptor, name) }
            folder.flushWithdrawal(self.target.level)
            throw error
        }
    }

    /// Makes the name durable where that was asked, and writes the file into the ledger.
    private func recorded(
        _ outcome: Publication.Outcome,
        _ content: borrowing FinishedContent,
        in folder: GroupFolders.Node,
        at path: RelativePath
    ) throws(FxferError) -> Publication {
        let level = self.target.level
        if level > .verified { folder.syncChain() }
        let entry = try content.checkDurable(in: folder, at: path, level, from: self.origin, self.committer)
        return Publication(outcome, at: path, level, try self.committer.record(entry.map { [$0] } ?? []).first)
    }
}
