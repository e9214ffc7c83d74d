// The same promises, kept by Spark: `ran` does its work there.
import './cleaning.test.ts'
