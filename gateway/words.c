// gateway.words, compiled: one instruction of the processor where gateway/words.py takes a lock.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

typedef struct {
    PyObject_HEAD
    Py_buffer memory;
} Words;

static uint64_t *place(Words *self, PyObject *at) {
    size_t word = PyLong_AsSize_t(at);
    if (word == (size_t)-1 && PyErr_Occurred()) return NULL;
    if (self->memory.obj == NULL || word >= (size_t)self->memory.len / sizeof(uint64_t)) {
        PyErr_SetString(PyExc_IndexError, "no such word");
        return NULL;
    }
    return (uint64_t *)self->memory.buf + word;
}

static PyObject *is_atomic(Words *self, PyObject *nothing) {
    (void)self, (void)nothing;
    Py_RETURN_TRUE;
}

static PyObject *load(Words *self, PyObject *at) {
    uint64_t *word = place(self, at);
    if (word == NULL) return NULL;
    // Whatever was read before this is from before it, and what is read after it from after.
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return PyLong_FromUnsignedLongLong(__atomic_load_n(word, __ATOMIC_ACQUIRE));
}

static PyObject *exchange(Words *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "exchange() takes a place, a value and another");
        return NULL;
    }
    uint64_t *word = place(self, arguments[0]);
    if (word == NULL) return NULL;
    uint64_t expected = PyLong_AsUnsignedLongLong(arguments[1]);
    uint64_t value = PyLong_AsUnsignedLongLong(arguments[2]);
    if (PyErr_Occurred()) return NULL;
    return PyBool_FromLong(__atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_ACQ_REL,
                                                       __ATOMIC_ACQUIRE));
}

static int init(Words *self, PyObject *arguments, PyObject *named) {
    (void)named;
    int descriptor;
    PyObject *memory;
    if (!PyArg_ParseTuple(arguments, "iO", &descriptor, &memory)) return -1;
    if (self->memory.obj != NULL) PyBuffer_Release(&self->memory);
    return PyObject_GetBuffer(memory, &self->memory, PyBUF_WRITABLE);
}

static void dealloc(Words *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyBuffer_Release(&self->memory);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"is_atomic", (PyCFunction)is_atomic, METH_NOARGS, "Return True."},
    {"load", (PyCFunction)load, METH_O, "Return a word."},
    {"exchange", (PyCFunction)(void (*)(void))exchange, METH_FASTCALL, "Replace a word, if it is as expected."},
    {NULL, NULL, 0, NULL}};
static PyType_Slot slots[] = {
    {Py_tp_init, init}, {Py_tp_dealloc, dealloc}, {Py_tp_methods, methods}, {0, NULL}};
static PyType_Spec spec = {"gateway.words.Words", sizeof(Words), 0, Py_TPFLAGS_DEFAULT, slots};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "words", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_words(void) {
    PyObject *made = PyModule_Create(&module), *type = PyType_FromSpec(&spec);
    if (made == NULL || type == NULL || PyModule_AddObject(made, "Words", type) < 0) return NULL;
    return made;
}
