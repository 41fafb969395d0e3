/// How a store begins with a file that is offered to it.
package enum Staging<File: StagedFile>: Sendable {
    /// The file's content is to be appended to this.
    case fresh(File)
    /// A file of that name and size is there; where its digest is the sender's, no data need travel.
    case existing(ExistingFile)
}
