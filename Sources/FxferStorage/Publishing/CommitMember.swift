import FxferProtocol
import Glibc

/// A file or folder of a group and how far it has come. Belongs to one thread.
final class CommitMember {
    enum State {
        /// Content and attributes are there (of a file), and the name was free a moment ago.
        case prepared
        /// It has its name, and its folders are to be made durable.
        case named
        /// Something has its name.
        case contended
        /// A file with the same content has its name, and is to be made durable.
        case compared
        /// It, or the file with the same content, is as durable under its name as it has to be; what is missing is the
        /// ledger.
        case durable
        /// The completion was called.
        case done
    }

    private(set) var state = State.prepared
    let committer: Committer
    private let item: CommitQueue.Item
    private var content: FinishedContent?
    private var folder: GroupFolders.Node?
    private var madeFolder: FolderPublishing?
    private var twin: PublishedFile?
    /// What it will be, once it is durable.
    private var publication: Publication?
    /// What the ledger is to be told of it; nil where that is nothing, or it knows already.
    private(set) var entry: LedgerEntry?

    var target: PublishingTarget { self.item.file.target }
    var path: RelativePath { self.target.path }
    /// Whether anything has to be flushed for it.
    var needsFlush: Bool { self.target.level > .verified }

    init(_ item: CommitQueue.Item, _ committer: Committer) {
        self.item = item
        self.committer = committer
    }

    /// Calls the completion, after everything was let go of.
    private func end(_ result: Result<Publication, FxferError>) {
        self.state = .done
        self.content = nil
        self.twin = nil
        self.item.completion(result)
    }

    /// Takes a step, whose failure ends this member and no other.
    private func step(_ body: () throws(FxferError) -> State?) {
        do {
            if let state = try body() { self.state = state }
        } catch {
            self.end(.failure(error))
        }
    }

    /// Writes what is in memory, and the attributes, unless the name is taken: a tree that is sent a second time meets
    /// itself and need not be written.
    func prepare(_ folders: GroupFolders) {
        self.step { () throws(FxferError) -> State? in
            self.content = try self.item.file.takeForPublishing()
            guard !self.target.isFolder else { return .prepared }
            guard !self.target.repairsOnly else { return .contended }
            if let folder = try folders.existing(for: self.path), try folder.seemsToHave(self.path) {
                return .contended
            }
            try self.content?.complete(self.target, self.committer)
            return .prepared
        }
    }

    /// Makes content and attributes durable, as far as they have to be.
    func seal() {
        guard !self.target.isFolder else { return }
        self.step { () throws(FxferError) -> State? in
            try self.content?.seal(self.target, self.committer)
            return .prepared
        }
    }

    func enterFolder(_ folders: GroupFolders) {
        self.step { () throws(FxferError) -> State? in
            self.folder = try folders.make(for: self.path)
            return .prepared
        }
    }

    func takeName() {
        guard let folder = self.folder else { return }
        self.step { () throws(FxferError) -> State? in
            if self.target.isFolder {
                self.madeFolder = try FolderPublishing(self.target, in: folder)
                return .named
            }
            return try self.content?.move(to: folder, as: self.path) == true ? .named : .contended
        }
    }

    /// After the folders' fsync, where it needs one.
    func checkDurable() {
        self.step { () throws(FxferError) -> State? in
            guard let folder = self.folder else { return .done }
            do throws(FxferError) {
                self.entry = try self.content?.checkDurable(
                    in: folder,
                    at: self.path,
                    self.target.level,
                    from: self.item.origin,
                    self.committer
                )
            } catch {
                self.takeBack()
                throw error
            }
            self.publication = Publication(self.madeFolder?.outcome ?? .stored, at: self.path, self.target.level)
            return .durable
        }
    }

    /// After the ledger.
    func finish(_ record: StoredEntry?) {
        guard var publication = self.publication else { return }
        if let record { publication.record = record }
        self.end(.success(publication))
    }

    /// It could not be written into the ledger.
    func withdraw(_ error: FxferError) {
        self.takeBack()
        self.end(.failure(error))
    }

    /// The name must not stay without a receipt. A file that was there before stays.
    private func takeBack() {
        guard let folder = self.folder else { return }
        self.madeFolder?.withdraw(from: folder)
        self.content?.withdraw(from: folder.descriptor, CPath(self.path.lastComponent))
        folder.flushWithdrawal(self.target.level)
    }

    /// Publishes alone, or finds a file with the same content. No lock is held before or after.
    func settle(_ folders: GroupFolders) {
        self.step { () throws(FxferError) -> State? in
            guard let content = self.content.take() else { return .done }
            switch try Settlement(self.target, self.item.origin, self.committer, folders).settle(content) {
            case .published(let publication):
                self.end(.success(publication))
                return nil
            case .identical(let twin):
                if self.needsFlush { try twin.sync() }
                self.folder = try folders.make(for: twin.path)
                self.twin = twin
                return .compared
            }
        }
    }

    /// After the folders' fsync, where it needs one.
    func confirm() {
        self.step { () throws(FxferError) -> State? in
            guard let folder = self.folder, let twin = self.twin else { return .done }
            try twin.confirm(in: folder, self.target.level, self.committer.media)
            let confirmed = try self.committer.confirmed(twin, self.target.level, from: self.item.origin)
            (self.publication, self.entry) = confirmed
            return .durable
        }
    }
}
