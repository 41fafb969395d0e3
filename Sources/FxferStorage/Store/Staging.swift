/// How a store begins with a file that is offered to it.
package enum Staging<File: StagedFile>: Sendable {
    /// The file's content is to be appended to this, from offset 0 on: also where a file has the name that its disk does
    /// not give any more.
    case fresh(File)
    /// A part is left from an earlier try: ``StagedFile/position`` bytes with ``StagedFile/runningDigest()``, read and
    /// hashed just now. Where the sender has another prefix, ``StagedFile/restart()`` forgets it.
    case partial(File)
    /// A file of that name and size is there; where its digest is the sender's, no data need travel. Where it is not,
    /// the content is to be appended to `otherwise`, or the file is refused where that is nil. One that has decayed can
    /// be repaired by a sender that has what it was stored with.
    case existing(ExistingFile, otherwise: File?, decayed: DecayedFile<File>?)
    /// A file of that name, size and modification time is there, and the sender does not ask for more.
    case unchanged
}
