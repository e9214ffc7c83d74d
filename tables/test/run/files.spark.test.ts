// The same promises, kept by Spark: `ran` does its work there.
import './files.test.ts'
