#!/usr/bin/env node
// The command as installed: there before anything is built, so that it can be linked.
import '../dist/main.js'
