import FxferProtocol
import Glibc

/// Files that are published together, by one thread.
///
/// The order is what makes it true (Pillai et al., OSDI 2014): content and attributes, fsync of each file, the folders,
/// each name in one step, fsync of each folder and of those above it, the ledger, the answers.
///
/// A file that need not be durable (``FxferProtocol/Durability/verified``) waits for none of the fsyncs; one that is to be
/// read again (``FxferProtocol/Durability/media``) is, before the ledger.
///
/// A file that has its name is locked until its folders and its entry in the ledger are durable. Nothing waits for a
/// lock in between: where a name is taken, perhaps by a file of another group or of this one, that is settled when no
/// lock is held any more.
struct CommitGroup {
    private let members: [CommitMember]
    private let committer: Committer

    init(_ items: [CommitQueue.Item], _ committer: Committer) {
        self.members = items.map { CommitMember($0, committer) }
        self.committer = committer
    }

    func commit() {
        let folders = GroupFolders(self.committer.tree)
        for member in self.members { member.prepare(folders) }
        // Not one by one: the first fsync makes most of the others short, as a journal's commit takes them all.
        for member in self.members where member.state == .prepared { member.seal() }
        for member in self.members where member.state == .prepared { member.enterFolder(folders) }
        for member in self.members where member.state == .prepared { member.takeName() }
        for needsFlush in [false, true] {
            let named = self.members.filter { $0.state == .named && $0.needsFlush == needsFlush }
            guard !named.isEmpty else { continue }
            if needsFlush { folders.sync() }
            for member in named { member.checkDurable() }
            self.record()
        }
        self.settle()
    }

    /// Writes the members that are as durable as they have to be into the ledger, and ends them.
    private func record() {
        let durable = self.members.filter { $0.state == .durable }
        let unrecorded = durable.filter { $0.entry != nil }
        do {
            let records = try self.committer.record(unrecorded.compactMap(\.entry))
            for (index, member) in unrecorded.enumerated() { member.finish(records.isEmpty ? nil : records[index]) }
        } catch {
            for member in unrecorded { member.withdraw(error) }
        }
        for member in durable where member.entry == nil { member.finish(nil) }
    }

    /// Settles the members whose names are taken. Descriptors are new, as folders may have been moved meanwhile.
    private func settle() {
        guard self.members.contains(where: { $0.state == .contended }) else { return }
        let folders = GroupFolders(self.committer.tree)
        for member in self.members where member.state == .contended { member.settle(folders) }
        for needsFlush in [false, true] {
            let compared = self.members.filter { $0.state == .compared && $0.needsFlush == needsFlush }
            guard !compared.isEmpty else { continue }
            if needsFlush { folders.sync() }
            for member in compared { member.confirm() }
            self.record()
        }
    }
}
